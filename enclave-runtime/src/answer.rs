//! Answers an opened request inside the seal: every answer, errors too, ends with a receipt (R7.5).

use crate::{
    exchange::Exchange,
    generate,
    openai::{self, ApiError, Generation, Rendering, Route, Shape},
    outgoing::Gone,
    receipts::RequestId,
    telemetry,
};
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
        Route::Completion(shape) => complete(exchange, shape, request).await?,
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

async fn complete(exchange: &mut Exchange, shape: Shape, request: Plaintext) -> Result<(), Stop> {
    check_media_type(request.content_type.as_deref())?;
    let engine = exchange.node.engine.clone();
    let generation = apart(move || {
        let asked = match shape {
            Shape::Chat => openai::read_chat(&request.body)?,
            Shape::Text => openai::read_text(&request.body)?,
        };
        openai::prepare(asked, &*engine)
    })
    .await?;
    exchange.account.sampling = generation.sampling;
    let rendering = rendering(exchange, shape, &generation);
    let engine = exchange.node.engine.clone();
    let steps = apart(move || Ok(engine.submit(generation.job)?)).await?;
    generate::deliver(exchange, steps, &rendering).await
}

/// Parses and tokenizes away from the threads that serve connections: a long prompt takes a while.
async fn apart<T: Send + 'static>(
    work: impl FnOnce() -> Result<T, ApiError> + Send + 'static,
) -> Result<T, ApiError> {
    let done = tokio::task::spawn_blocking(work).await;
    done.unwrap_or_else(|_panicked| Err(ApiError::engine_failed()))
}

fn rendering(exchange: &Exchange, shape: Shape, generation: &Generation) -> Rendering {
    Rendering {
        shape,
        delivery: generation.delivery,
        request_id: exchange.headers.request_id,
        created: exchange.node.clock.now(),
        model: exchange.node.engine.card().name.clone(),
        fingerprint: exchange.node.fingerprint.clone(),
    }
}

fn check_media_type(named: Option<&str>) -> Result<(), ApiError> {
    let essence = named.and_then(|named| named.split(';').next());
    match essence {
        Some(essence) if essence.trim().eq_ignore_ascii_case("application/json") => Ok(()),
        _ => Err(ApiError::media_type()),
    }
}
