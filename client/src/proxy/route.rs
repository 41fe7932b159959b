//! The routes of the proxy. Each has its sealed form; a path that is not here does not exist.

use super::openai_error::OpenAiError;
use http::{Method, StatusCode, Uri};

const RECEIPTS: &str = "/narthex/receipts/";
const MODELS: &str = "/v1/models";
/// Routes that take a JSON body which names a model.
const POSTED: [&str; 4] = [
    "/v1/chat/completions",
    "/v1/completions",
    "/v1/responses",
    "/v1/embeddings",
];

pub(super) enum Route {
    Seal(SealedRoute),
    /// `GET /narthex/receipts/{request-id}`, answered here.
    Receipt(String),
}

pub(super) enum SealedRoute {
    /// `POST` with a JSON body that names a model.
    Posted(&'static str),
    /// `GET /v1/models`.
    Models,
    /// `GET /v1/models/{id}`.
    Model(String),
}

impl Route {
    pub(super) fn of(method: &Method, uri: &Uri) -> Result<Self, OpenAiError> {
        if uri.query().is_some() {
            return Err(unknown(method, uri));
        }
        match (method, uri.path()) {
            (&Method::POST, path) => of_post(path).ok_or_else(|| unknown(method, uri)),
            (&Method::GET, MODELS) => Ok(Self::Seal(SealedRoute::Models)),
            (&Method::GET, path) => of_get(path).ok_or_else(|| unknown(method, uri)),
            _ => Err(unknown(method, uri)),
        }
    }
}

fn of_get(path: &str) -> Option<Route> {
    if let Some(id) = path.strip_prefix(RECEIPTS) {
        return Some(Route::Receipt(id.to_owned()));
    }
    let id = path.strip_prefix(MODELS)?.strip_prefix('/')?;
    (!id.is_empty()).then(|| Route::Seal(SealedRoute::Model(id.to_owned())))
}

fn of_post(path: &str) -> Option<Route> {
    let posted = POSTED.into_iter().find(|posted| *posted == path)?;
    Some(Route::Seal(SealedRoute::Posted(posted)))
}

fn unknown(method: &Method, uri: &Uri) -> OpenAiError {
    let message = format!(
        "no sealed form for {method} {}: this proxy passes POST of {}, GET /v1/models and GET /v1/models/{{id}}",
        uri.path(),
        POSTED.join(", ")
    );
    OpenAiError::request(StatusCode::NOT_FOUND, "unknown_url", message)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn exists(method: &Method, uri: &str) -> bool {
        Route::of(method, &uri.parse().unwrap()).is_ok()
    }

    #[test]
    fn what_has_no_sealed_form_does_not_exist() {
        for (method, uri) in [
            (Method::POST, "/v1/chat/completions"),
            (Method::POST, "/v1/completions"),
            (Method::POST, "/v1/responses"),
            (Method::POST, "/v1/embeddings"),
            (Method::GET, "/v1/models"),
            (Method::GET, "/v1/models/a"),
            (Method::GET, "/narthex/receipts/00"),
        ] {
            assert!(exists(&method, uri), "{method} {uri}");
        }
        for (method, uri) in [
            (Method::GET, "/"),
            (Method::GET, "/v1/chat/completions"),
            (Method::POST, "/v1/moderations"),
            (Method::GET, "/v1/responses/resp_1"),
            (Method::POST, "/v1/chat/completions/"),
            (Method::POST, "/v1/chat/completions?x=1"),
            (Method::GET, "/v1/models/"),
            (Method::GET, "/v1/modelsa"),
            (Method::OPTIONS, "/v1/chat/completions"),
            (Method::DELETE, "/v1/models/a"),
        ] {
            assert!(!exists(&method, uri), "{method} {uri}");
        }
    }
}
