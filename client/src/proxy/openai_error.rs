//! Errors in the shape that OpenAI's SDKs understand.

use crate::ClientError;
use http::{Response, StatusCode};
use listener::Body;
use serde_json::json;

/// One refusal.
#[derive(Debug)]
pub(super) struct OpenAiError {
    status: StatusCode,
    kind: &'static str,
    code: String,
    message: String,
}

impl OpenAiError {
    /// The local program's mistake.
    pub(super) fn request(
        status: StatusCode,
        code: impl Into<String>,
        message: impl Into<String>,
    ) -> Self {
        Self {
            status,
            kind: "invalid_request_error",
            code: code.into(),
            message: message.into(),
        }
    }

    pub(super) fn response(&self) -> Response<Body> {
        let body = json!({"error": {
            "message": self.message,
            "type": self.kind,
            "param": null,
            "code": self.code,
        }});
        super::json(self.status, &body)
    }
}

impl From<ClientError> for OpenAiError {
    fn from(error: ClientError) -> Self {
        let status = match &error {
            ClientError::Model { .. } => StatusCode::NOT_FOUND,
            ClientError::NoNode | ClientError::Unavailable(_) | ClientError::Unreachable(_) => {
                StatusCode::SERVICE_UNAVAILABLE
            }
            ClientError::TimedOut(_) => StatusCode::GATEWAY_TIMEOUT,
            _ => StatusCode::BAD_GATEWAY,
        };
        Self {
            status,
            kind: "narthex_error",
            code: error.code().to_owned(),
            message: format!("{error}; {}", error.advice()),
        }
    }
}
