//! Errors in the shape that OpenAI's SDKs understand.

use crate::ClientError;
use bytes::Bytes;
use http::{Response, StatusCode};
use listener::Body;
use serde_json::{Value, json};

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
        super::json(self.status, &self.document())
    }

    /// The same as the last event of a stream whose status is already told.
    pub(super) fn event(&self) -> Bytes {
        Bytes::from(format!("data: {}\n\n", self.document()))
    }

    fn document(&self) -> Value {
        json!({"error": {
            "message": self.message,
            "type": self.kind,
            "param": null,
            "code": self.code,
        }})
    }
}

impl From<ClientError> for OpenAiError {
    fn from(error: ClientError) -> Self {
        Self::of(&error)
    }
}

impl OpenAiError {
    /// What a local program is told of `error`.
    pub(super) fn of(error: &ClientError) -> Self {
        let status = match error {
            ClientError::Stopped(_) => StatusCode::FORBIDDEN,
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
