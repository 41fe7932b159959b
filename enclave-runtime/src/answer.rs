//! Answers an opened request inside the seal: every answer, errors too, ends with a receipt (R7.5).

use crate::{
    account::Counted, embed, exchange::Exchange, generate, outgoing::Gone, receipts::RequestId,
    telemetry,
};
use openai::{ApiError, Completion, Route};
use protocol::Plaintext;

/// Why an answer was not given as asked.
pub(crate) enum Stop {
    /// It is refused, and the client is told.
    Refused(ApiError),
    /// There is no client any more.
    Gone,
}

impl From<ApiError> for Stop {
    fn from(error: ApiError) -> Self {
        Self::Refused(error)
    }
}

impl From<Gone> for Stop {
    fn from(Gone: Gone) -> Self {
        Self::Gone
    }
}

/// Answers `request` to the end.
pub(crate) async fn answer(mut exchange: Exchange, request: Plaintext) {
    let sealed = match serve(&mut exchange, request).await {
        Ok(()) => Ok(()),
        Err(Stop::Refused(error)) => refuse(&mut exchange, &error).await,
        Err(Stop::Gone) => Err(Gone),
    };
    match sealed {
        Ok(()) => exchange.finish().await,
        Err(Gone) => exchange.abandon(),
    }
}

// R7.5
async fn refuse(exchange: &mut Exchange, error: &ApiError) -> Result<(), Gone> {
    telemetry::refused(error.code);
    exchange.refuse(error).await
}

async fn serve(exchange: &mut Exchange, request: Plaintext) -> Result<(), Stop> {
    exchange.admit()?;
    let name = exchange.node.engine.card().name.clone();
    let since = exchange.node.started_at;
    let route = Route::find(&request.method, &request.path)?;
    exchange.check_role(&route)?;
    match route {
        Route::Models => exchange.document(&openai::models(&name, since)).await?,
        Route::Model(id) => {
            exchange
                .document(&openai::model(&id, &name, since)?)
                .await?
        }
        Route::Receipt(id) => receipt(exchange, id).await?,
        Route::Completion(completion) => complete(exchange, completion, request).await?,
        Route::Embeddings => embed::answer(exchange, request).await?,
    }
    Ok(())
}

async fn receipt(exchange: &mut Exchange, id: Option<RequestId>) -> Result<(), Stop> {
    let kept = exchange.kept_receipt(id);
    let receipt = kept.ok_or_else(ApiError::receipt_not_found)?;
    Ok(exchange
        .whole("application/cose", receipt.as_bytes())
        .await?)
}

async fn complete(
    exchange: &mut Exchange,
    completion: Completion,
    request: Plaintext,
) -> Result<(), Stop> {
    check_media_type(request.content_type.as_deref())?;
    let (engine, heading) = (exchange.node.engine.clone(), exchange.heading());
    let client = exchange.client();
    let generation = apart(move || {
        let asked = completion.read(&request.body)?;
        openai::submit(asked, &client, heading, &*engine)
    })
    .await?;
    let account = &mut exchange.account;
    account.sampling = generation.stated;
    account.choices_per_prompt = generation.choices_per_prompt;
    let choices = generation.jobs.iter().map(|_| Counted::default());
    account.choices = choices.collect();
    generate::deliver(exchange, generation).await
}

/// Parses and tokenizes away from the threads that serve connections: a long prompt takes a while.
pub(crate) async fn apart<T: Send + 'static>(
    work: impl FnOnce() -> Result<T, ApiError> + Send + 'static,
) -> Result<T, ApiError> {
    let done = tokio::task::spawn_blocking(work).await;
    done.unwrap_or_else(|_panicked| Err(ApiError::engine_failed()))
}

pub(crate) fn check_media_type(named: Option<&str>) -> Result<(), ApiError> {
    let essence = named.and_then(|named| named.split(';').next());
    match essence {
        Some(essence) if essence.trim().eq_ignore_ascii_case("application/json") => Ok(()),
        _ => Err(ApiError::media_type()),
    }
}
