//! Health and metrics, on their own listener.

use crate::gateway::Core;
use hyper::{
    Request, Response, StatusCode,
    body::Incoming,
    header::{CONTENT_TYPE, HeaderValue},
};
use listener::{Body, body};
use std::sync::Arc;

const TEXT: &str = "text/plain; charset=utf-8";
const OPENMETRICS: &str = "application/openmetrics-text; version=1.0.0; charset=utf-8";

/// Answers one request; never fails.
pub(crate) async fn answer(core: Arc<Core>, request: Request<Incoming>) -> Response<Body> {
    match (request.method().as_str(), request.uri().path()) {
        ("GET", "/healthz") => text(StatusCode::OK, "alive\n"),
        ("GET", "/readyz") => readiness(&core),
        ("GET", "/metrics") => metrics(&core),
        _ => text(StatusCode::NOT_FOUND, "no such route\n"),
    }
}

/// Ready: at least one node is admitted, nothing stops everything, and the end has not begun.
fn readiness(core: &Core) -> Response<Body> {
    if core.is_draining() {
        text(StatusCode::SERVICE_UNAVAILABLE, "draining\n")
    } else if let Err(problem) = core.check_standing() {
        let why = format!("{}\n", problem.code());
        typed(StatusCode::SERVICE_UNAVAILABLE, why, TEXT)
    } else if core.registry.admitted_count(core.clock.now()) == 0 {
        text(StatusCode::SERVICE_UNAVAILABLE, "no node is admitted\n")
    } else {
        text(StatusCode::OK, "ready\n")
    }
}

fn metrics(core: &Core) -> Response<Body> {
    let standing = core.standing.load();
    let now = core.clock.now();
    match core.metrics.encode(&core.registry, &standing, now) {
        Ok(encoded) => typed(StatusCode::OK, encoded, OPENMETRICS),
        Err(_) => text(
            StatusCode::INTERNAL_SERVER_ERROR,
            "metrics cannot be encoded\n",
        ),
    }
}

fn text(status: StatusCode, text: &str) -> Response<Body> {
    typed(status, text.to_owned(), TEXT)
}

fn typed(status: StatusCode, content: String, media_type: &'static str) -> Response<Body> {
    let mut response = Response::new(body::full(content));
    *response.status_mut() = status;
    response
        .headers_mut()
        .insert(CONTENT_TYPE, HeaderValue::from_static(media_type));
    response
}
