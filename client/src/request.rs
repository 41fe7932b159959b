//! What goes into the seal: an OpenAI API request, as an HTTP client would have sent it.

use crate::Settings;
use protocol::client::ClientRequest;
use zeroize::Zeroizing;

/// One request. No Debug or Clone: it holds the prompt; wiped on drop.
pub struct Request {
    /// `GET` or `POST`.
    pub method: &'static str,
    /// `/v1/chat/completions` and so on.
    pub path: String,
    /// JSON; empty for `GET`.
    pub body: Zeroizing<Vec<u8>>,
    /// The model that the body names.
    pub model: Option<String>,
}

/// Names one exchange; the same on a retry.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct RequestId(pub [u8; 16]);

impl Request {
    /// `GET path`.
    #[must_use]
    pub fn get(path: impl Into<String>) -> Self {
        Self {
            method: "GET",
            path: path.into(),
            body: Zeroizing::default(),
            model: None,
        }
    }

    /// `POST path` of a JSON `body` that asks for `model`.
    #[must_use]
    pub fn post(path: impl Into<String>, body: Vec<u8>, model: String) -> Self {
        Self {
            method: "POST",
            path: path.into(),
            body: Zeroizing::new(body),
            model: Some(model),
        }
    }

    /// The same request, about `model`.
    #[must_use]
    pub fn about(self, model: String) -> Self {
        Self {
            model: Some(model),
            ..self
        }
    }

    pub(crate) fn to_seal<'a>(
        &'a self,
        id: RequestId,
        settings: &'a Settings,
    ) -> ClientRequest<'a> {
        ClientRequest {
            method: self.method,
            path: &self.path,
            content_type: (!self.body.is_empty()).then_some("application/json"),
            body: &self.body,
            model: self.model.as_deref(),
            residency: settings.residency.as_deref(),
            request_id: id.0,
            tenant: settings.tenant(),
            cache_secret: settings.cache_secret.as_ref(),
        }
    }
}

impl RequestId {
    /// Reads what [`Display`](std::fmt::Display) writes: 32 digits of lower-case hexadecimal.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        let mut id = [0; 16];
        hex::decode_to_slice(text, &mut id).ok()?;
        (hex::encode(id) == text).then_some(Self(id))
    }
}

impl std::fmt::Display for RequestId {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.write_str(&hex::encode(self.0))
    }
}
