//! Answers a request for vectors.

use crate::{
    account::{CacheScope, Counted},
    answer::{Stop, apart, check_media_type},
    exchange::Exchange,
    outgoing::Woken,
};
use engine::{Embeddings, Engine, TenantId, Usage};
use openai::{ApiError, AskedEmbeddings, Input};
use protocol::Plaintext;
use tokio::{
    sync::oneshot,
    time::{Instant, timeout_at},
};

/// Answers `request` to the end.
pub(crate) async fn answer(exchange: &mut Exchange, request: Plaintext) -> Result<(), Stop> {
    check_media_type(request.content_type.as_deref())?;
    let engine = exchange.node.engine.clone();
    let tenant = exchange.client().tenant;
    // A text's vector comes from the text alone.
    exchange.account.cache_scope = CacheScope::Request;
    let begun = apart(move || {
        let asked = openai::read_embeddings(&request.body)?;
        let form = asked.form;
        Ok((form, submit(asked, tenant, &*engine)?))
    });
    let (form, vectors) = begun.await?;
    let embeddings = made(exchange, vectors).await?;
    let usage = Usage {
        prompt_tokens: embeddings.prompt_tokens,
        ..Usage::default()
    };
    exchange.account.choices = vec![Counted {
        usage,
        ..Counted::default()
    }];
    let document = form.document(&embeddings, &exchange.node.engine.card().name)?;
    Ok(exchange.document(&document).await?)
}

fn submit(
    asked: AskedEmbeddings,
    tenant: TenantId,
    engine: &dyn Engine,
) -> Result<oneshot::Receiver<Embeddings>, ApiError> {
    openai::check_model(&asked.model, engine)?;
    let input = asked.texts.first().map(|text| Input::of("input", text));
    let input = input.ok_or_else(|| ApiError::empty_prompt("input"))?;
    let vectors = engine.embed(asked.texts, tenant);
    vectors.map_err(|error| input.refused(error))
}

/// The vectors, unless the engine breaks off, the time is over or the exchange may not go on (R9.9).
async fn made(
    exchange: &mut Exchange,
    mut vectors: oneshot::Receiver<Embeddings>,
) -> Result<Embeddings, Stop> {
    let deadline = Instant::now() + exchange.node.limits.answer_timeout;
    let mut leash = exchange.leash.clone();
    loop {
        let next = async {
            tokio::select! {
                biased;
                error = leash.pulled() => Err(error),
                made = timeout_at(deadline, &mut vectors) => match made {
                    Ok(made) => made.map_err(|_closed| ApiError::engine_failed()),
                    Err(_elapsed) => Err(ApiError::timed_out()),
                },
            }
        };
        if let Woken::Event(made) = exchange.outgoing.wait(next).await? {
            return Ok(made?);
        }
    }
}
