//! What goes into the seal: an OpenAI API request, as an HTTP client would have sent it. A route without a sealed form does not exist.

use crate::{Session, SessionError};
use protocol::client::ClientRequest;
use serde::Deserialize;
use zeroize::Zeroizing;

/// The largest request body taken, in bytes.
const MAX_REQUEST_BYTES: usize = 8 * 1024 * 1024;
const MODELS: &str = "/v1/models";
/// Routes that take a JSON body which names a model.
const POSTED: [&str; 4] = [
    "/v1/chat/completions",
    "/v1/completions",
    "/v1/responses",
    "/v1/embeddings",
];

/// One request. No Debug or Clone: it holds the prompt; wiped on drop.
pub struct Request {
    method: &'static str,
    path: String,
    body: Zeroizing<Vec<u8>>,
    model: Option<String>,
}

/// Names one exchange; the same on a retry. Shown as 32 hexadecimal digits.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct RequestId(pub [u8; 16]);

/// What must be known of a request's body.
#[derive(Deserialize)]
struct Asked {
    model: String,
}

impl Request {
    /// A request that has a sealed form: `POST` of JSON that names a model, `GET` of the models or of one of them. `path` is without
    /// query; `content_type` and `body` are as the HTTP client would send them.
    pub fn new(
        method: &str,
        path: &str,
        content_type: Option<&str>,
        body: Zeroizing<Vec<u8>>,
    ) -> Result<Self, SessionError> {
        match (method, models(path)) {
            ("POST", _) if POSTED.contains(&path) => Self::post(path, content_type, body),
            ("GET", Some(model)) if body.is_empty() => Ok(Self {
                method: "GET",
                path: path.to_owned(),
                body,
                model: model.map(str::to_owned),
            }),
            _ => Err(SessionError::Route {
                method: method.to_owned(),
                path: path.to_owned(),
            }),
        }
    }

    fn post(
        path: &str,
        content_type: Option<&str>,
        body: Zeroizing<Vec<u8>>,
    ) -> Result<Self, SessionError> {
        let media_type = content_type.and_then(|value| value.split(';').next());
        if !media_type.is_some_and(|value| value.trim().eq_ignore_ascii_case("application/json")) {
            return Err(SessionError::MediaType);
        }
        if body.len() > MAX_REQUEST_BYTES {
            return Err(SessionError::RequestTooLarge(MAX_REQUEST_BYTES));
        }
        let asked: Asked = serde_json::from_slice(&body).map_err(|_| SessionError::Body)?;
        Ok(Self {
            method: "POST",
            path: path.to_owned(),
            body,
            model: Some(asked.model),
        })
    }

    /// The model that it names.
    pub(crate) fn model(&self) -> Option<&str> {
        self.model.as_deref()
    }

    pub(crate) fn to_seal<'a>(&'a self, id: RequestId, session: &'a Session) -> ClientRequest<'a> {
        ClientRequest {
            method: self.method,
            path: &self.path,
            content_type: (!self.body.is_empty()).then_some("application/json"),
            body: &self.body,
            model: self.model.as_deref(),
            residency: session.residency.as_deref(),
            request_id: id.0,
            tenant: None,
            cache_secret: session.cache_secret.as_ref(),
        }
    }
}

/// The model of `/v1/models/{id}`, none of `/v1/models`; `None`: another path.
fn models(path: &str) -> Option<Option<&str>> {
    match path.strip_prefix(MODELS)? {
        "" => Some(None),
        rest => rest.strip_prefix('/').filter(|id| !id.is_empty()).map(Some),
    }
}

impl std::fmt::Display for RequestId {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.write_str(&hex::encode(self.0))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const JSON: Option<&str> = Some("application/json");

    fn refused(method: &str, path: &str, content_type: Option<&str>, body: &[u8]) -> &'static str {
        let body = Zeroizing::new(body.to_vec());
        let request = Request::new(method, path, content_type, body);
        request.map_or_else(|error| error.code(), |_| "sealed")
    }

    #[test]
    fn what_has_no_sealed_form_does_not_exist() {
        let body = br#"{"model":"m"}"#;
        for path in POSTED {
            assert_eq!(refused("POST", path, JSON, body), "sealed", "{path}");
        }
        for path in ["/v1/models", "/v1/models/a"] {
            assert_eq!(refused("GET", path, None, b""), "sealed", "{path}");
        }
        for (method, path) in [
            ("POST", "/v1/moderations"),
            ("GET", "/v1/responses/resp_1"),
            ("POST", "/v1/chat/completions/"),
            ("POST", "/v1/chat/completions?x=1"),
            ("PUT", "/v1/chat/completions"),
            ("POST", "/v1/models"),
        ] {
            assert_eq!(
                refused(method, path, JSON, body),
                "unknown_url",
                "{method} {path}"
            );
        }
        for path in ["/", "/v1/modelsa", "/v1/models/", "/v1/chat/completions"] {
            assert_eq!(refused("GET", path, None, b""), "unknown_url", "{path}");
        }
        assert_eq!(refused("GET", "/v1/models", None, b"x"), "unknown_url");
    }

    #[test]
    fn a_body_is_json_that_names_its_model_once() {
        let post = |content_type, body: &[u8]| refused("POST", POSTED[0], content_type, body);
        let parameter = Some("application/json; charset=utf-8");
        assert_eq!(post(parameter, br#"{"model":"m","x":1}"#), "sealed");
        for content_type in [None, Some("text/plain"), Some("application/jsonx")] {
            let code = post(content_type, br#"{"model":"m"}"#);
            assert_eq!(code, "unsupported_media_type");
        }
        for body in [
            "",
            "{}",
            "[]",
            r#"{"model":1}"#,
            r#"{"model":"a","model":"b"}"#,
            r#"{"model":"a"}x"#,
        ] {
            assert_eq!(post(JSON, body.as_bytes()), "invalid_body", "{body}");
        }
        let mut large = br#"{"model":"m"}"#.to_vec();
        large.resize(MAX_REQUEST_BYTES + 1, b' ');
        assert_eq!(post(JSON, &large), "request_too_large");
    }
}
