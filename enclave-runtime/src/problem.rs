//! Outer errors: `application/problem+json` (RFC 9457). They say nothing that an envelope's content decided.

use crate::obeyed::Halt;
use http::{HeaderValue, Response, StatusCode, header};
use listener::{Body, body};
use serde_json::json;

/// RFC 9458 section 5.3: the client should fetch keys again.
const KEY_PROBLEM: &str = "https://iana.org/assignments/http-problem-types#ohttp-key";

/// One outer refusal.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Problem {
    /// Not one of the sealed routes.
    Unsealed,
    /// A challenge that is not 32 bytes.
    Challenge,
    /// No evidence for a challenge.
    Evidence,
    /// The body's media type is another, or it is encoded.
    MediaType,
    /// An envelope for an unknown key.
    Key,
    /// Any other fault of an envelope.
    Envelope,
    /// Too much at once.
    Busy,
    /// Nothing is served now (R9.9, R9.10).
    Halted(Halt),
}

impl From<Halt> for Problem {
    fn from(halt: Halt) -> Self {
        Self::Halted(halt)
    }
}

impl Problem {
    pub(crate) const fn code(self) -> &'static str {
        match self {
            Self::Unsealed => "runtime.unsealed",
            Self::Challenge => "runtime.challenge",
            Self::Evidence => "runtime.evidence",
            Self::MediaType => "runtime.media_type",
            Self::Key => "runtime.key",
            Self::Envelope => "runtime.envelope",
            Self::Busy => "runtime.busy",
            Self::Halted(halt) => halt.code(),
        }
    }

    const fn status(self) -> StatusCode {
        match self {
            Self::Unsealed => StatusCode::MISDIRECTED_REQUEST,
            Self::Challenge | Self::Key | Self::Envelope => StatusCode::BAD_REQUEST,
            Self::MediaType => StatusCode::UNSUPPORTED_MEDIA_TYPE,
            Self::Evidence | Self::Busy | Self::Halted(_) => StatusCode::SERVICE_UNAVAILABLE,
        }
    }

    const fn title(self) -> &'static str {
        match self {
            Self::Unsealed => "This runtime serves sealed requests only.",
            Self::Challenge => "A challenge is a nonce of exactly 32 bytes.",
            Self::Evidence => "The platform gave no evidence.",
            Self::MediaType => {
                "The body must be message/ohttp-chunked-req or message/ohttp-req, not encoded."
            }
            Self::Key => "The envelope is for an unknown key: fetch the key list again.",
            Self::Envelope => "The envelope is refused.",
            Self::Busy => "The runtime is busy.",
            Self::Halted(Halt::Stopped) => "An order stops this runtime: its keys are wiped.",
            Self::Halted(Halt::LeaseEnded) => {
                "The lease of this runtime's policy has ended: its keys are wiped."
            }
            Self::Halted(Halt::EngineFailed(_)) => {
                "The engine of this runtime has failed: its keys are wiped."
            }
        }
    }

    pub(crate) fn response(self) -> Response<Body> {
        let kind = if self == Self::Key {
            KEY_PROBLEM
        } else {
            "about:blank"
        };
        let status = self.status();
        let document = json!({"type": kind, "title": self.title(), "status": status.as_u16(), "code": self.code()});
        let mut response = Response::new(body::full(document.to_string()));
        *response.status_mut() = status;
        let headers = response.headers_mut();
        let media_type = HeaderValue::from_static("application/problem+json");
        headers.insert(header::CONTENT_TYPE, media_type);
        if matches!(self, Self::Evidence | Self::Busy) {
            headers.insert(header::RETRY_AFTER, HeaderValue::from_static("1"));
        }
        response
    }
}
