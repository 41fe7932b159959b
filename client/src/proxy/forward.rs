//! One request through the seal and back.

use super::{Proxy, openai_error::OpenAiError, route::SealedRoute, stream};
use crate::{Exchange, Request, exchange::Answer};
use bytes::Bytes;
use http::{
    HeaderName, HeaderValue, Response, StatusCode,
    header::{CONTENT_ENCODING, CONTENT_TYPE, RETRY_AFTER},
};
use hyper::body::Incoming;
use listener::{Body, BodyError};
use protocol::ResponseEvent;
use serde::Deserialize;
use std::{sync::Arc, time::Duration};

/// The largest request body taken, in bytes.
pub(super) const MAX_REQUEST_BYTES: usize = 8 * 1024 * 1024;
const BODY_TIMEOUT: Duration = Duration::from_secs(30);
/// Inner headers that a local program gets to see.
const PASSED_HEADERS: [HeaderName; 2] = [CONTENT_TYPE, RETRY_AFTER];

/// What the proxy must know of a request's body.
#[derive(Deserialize)]
struct Asked {
    model: String,
}

/// Status and headers of an inner answer.
type Head = (u16, Vec<(String, Vec<u8>)>);

pub(super) async fn forward(
    proxy: &Arc<Proxy>,
    route: SealedRoute,
    request: http::Request<Incoming>,
) -> Result<Response<Body>, OpenAiError> {
    let request = to_seal(route, request).await?;
    let mut exchange = proxy.client.send(&request).await?;
    let head = match exchange.next().await? {
        Some(ResponseEvent::Head { status, headers }) => (status, headers),
        _ => return Err(crate::ClientError::from(protocol::OpenError::Bhttp).into()),
    };
    if is_event_stream(&head) {
        return stream_response(proxy, head, exchange);
    }
    let collected = exchange.collect().await;
    let answer = collected.inspect_err(|_| proxy.keep_unfinished(&exchange))?;
    proxy.keep_receipt(&exchange, &answer.receipt);
    whole_response(head, answer, &exchange)
}

async fn to_seal(
    route: SealedRoute,
    request: http::Request<Incoming>,
) -> Result<Request, OpenAiError> {
    match route {
        SealedRoute::Models => Ok(Request::get("/v1/models")),
        SealedRoute::Model(id) => Ok(Request::get(format!("/v1/models/{id}")).about(id)),
        SealedRoute::Posted(path) => {
            check_encoding(&request)?;
            let body = listener::read_body(request.into_body(), MAX_REQUEST_BYTES, BODY_TIMEOUT)
                .await
                .map_err(|error| body_error(&error))?;
            let model = asked_model(&body)?;
            Ok(Request::post(path, body.into(), model))
        }
    }
}

/// JSON only, also because a web page cannot send that here without asking first.
fn check_encoding(request: &http::Request<Incoming>) -> Result<(), OpenAiError> {
    let media_type = request.headers().get(CONTENT_TYPE);
    let is_json = media_type
        .and_then(|value| value.to_str().ok())
        .and_then(|value| value.split(';').next())
        .is_some_and(|value| value.trim().eq_ignore_ascii_case("application/json"));
    if is_json && !request.headers().contains_key(CONTENT_ENCODING) {
        return Ok(());
    }
    Err(OpenAiError::request(
        StatusCode::UNSUPPORTED_MEDIA_TYPE,
        "unsupported_media_type",
        "the body must be application/json without Content-Encoding",
    ))
}

fn asked_model(body: &Bytes) -> Result<String, OpenAiError> {
    let asked: Asked = serde_json::from_slice(body).map_err(|_| {
        OpenAiError::request(
            StatusCode::BAD_REQUEST,
            "invalid_body",
            "the body must be a JSON object that names its \"model\" once",
        )
    })?;
    Ok(asked.model)
}

fn body_error(error: &BodyError) -> OpenAiError {
    let status = match error {
        BodyError::TooLarge { .. } => StatusCode::PAYLOAD_TOO_LARGE,
        BodyError::TimedOut { .. } => StatusCode::REQUEST_TIMEOUT,
        BodyError::Truncated(_) => StatusCode::BAD_REQUEST,
    };
    OpenAiError::request(status, error.code(), error.to_string())
}

fn is_event_stream((_, headers): &Head) -> bool {
    headers
        .iter()
        .any(|(name, value)| name == "content-type" && value.starts_with(b"text/event-stream"))
}

fn stream_response(
    proxy: &Arc<Proxy>,
    head: Head,
    exchange: Exchange,
) -> Result<Response<Body>, OpenAiError> {
    let mut response = response(head, &exchange)?;
    *response.body_mut() = stream::body(Arc::clone(proxy), exchange);
    Ok(response)
}

fn whole_response(
    head: Head,
    answer: Answer,
    exchange: &Exchange,
) -> Result<Response<Body>, OpenAiError> {
    let mut response = response(head, exchange)?;
    *response.body_mut() = listener::body::full(answer.body);
    Ok(response)
}

/// The head of the answer to the local program: the inner status, the headers it may see, and who answered.
fn response((status, headers): Head, exchange: &Exchange) -> Result<Response<Body>, OpenAiError> {
    let bad_head = || OpenAiError::from(crate::ClientError::from(protocol::OpenError::Bhttp));
    let mut response = Response::new(listener::body::empty());
    *response.status_mut() = StatusCode::from_u16(status).map_err(|_| bad_head())?;
    let ours = response.headers_mut();
    for passed in PASSED_HEADERS {
        if let Some((_, value)) = headers.iter().find(|(name, _)| *name == passed.as_str()) {
            let value = HeaderValue::from_bytes(value).map_err(|_| bad_head())?;
            ours.insert(passed, value);
        }
    }
    for (name, value) in [
        ("narthex-request-id", exchange.id().to_string()),
        ("narthex-node", exchange.node().name().to_owned()),
        (
            "narthex-policy-version",
            exchange.node().keys().policy_version.to_string(),
        ),
    ] {
        let value = HeaderValue::from_str(&value).map_err(|_| bad_head())?;
        ours.insert(HeaderName::from_static(name), value);
    }
    Ok(response)
}
