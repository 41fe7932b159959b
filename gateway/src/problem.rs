//! What a peer is told when it is refused: RFC 9457 problem details with a stable code and no detail.

use hyper::{
    Response, StatusCode,
    header::{ALLOW, CACHE_CONTROL, CONTENT_TYPE, HeaderValue, RETRY_AFTER, WWW_AUTHENTICATE},
};
use listener::{Body, BodyError, body};

/// Media type of every refusal.
pub(crate) const PROBLEM_MEDIA_TYPE: &str = "application/problem+json";

/// Why a request was refused, in the order of the checks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Problem {
    /// No valid API key.
    Unauthorized,
    /// No such route.
    UnknownRoute,
    /// The route exists, the method does not; carries the one that does.
    Method(&'static str),
    /// No such document is in force here.
    NotPublished,
    /// An order stops it; carries the order's serial where the order names all that is refused.
    Stopped(Option<u64>),
    /// Nobody has said for too long that the documents are the newest.
    LeaseEnded,
    /// No such node.
    UnknownNode,
    /// The node is not admitted now.
    NodeNotAdmitted,
    /// The body is not of the route's media type, or is encoded.
    MediaType,
    /// The body is over the route's cap.
    TooLarge,
    /// The challenge is not 32 bytes.
    NonceLength,
    /// The report is none.
    Verdict,
    /// This key reports too often.
    TooOften,
    /// As much in flight as is allowed.
    Overloaded,
    /// The body was not there in time.
    BodyTimedOut,
    /// The body broke off.
    BodyTruncated,
    /// The node cannot be reached.
    UpstreamUnreachable,
    /// The node did not answer in time.
    UpstreamTimedOut,
    /// The node answered what it must not.
    UpstreamAnswer,
}

impl Problem {
    pub(crate) const fn code(self) -> &'static str {
        match self {
            Self::Unauthorized => "gateway.unauthorized",
            Self::UnknownRoute => "gateway.unknown_route",
            Self::Method(_) => "gateway.method",
            Self::NotPublished => "gateway.not_published",
            Self::Stopped(_) => "stopped",
            Self::LeaseEnded => "lease_ended",
            Self::UnknownNode => "gateway.unknown_node",
            Self::NodeNotAdmitted => "gateway.node_not_admitted",
            Self::MediaType => "gateway.media_type",
            Self::TooLarge => "gateway.too_large",
            Self::NonceLength => "gateway.nonce_length",
            Self::Verdict => "gateway.verdict",
            Self::TooOften => "gateway.too_often",
            Self::Overloaded => "gateway.overloaded",
            Self::BodyTimedOut => "gateway.body_timed_out",
            Self::BodyTruncated => "gateway.body_truncated",
            Self::UpstreamUnreachable => "gateway.upstream_unreachable",
            Self::UpstreamTimedOut => "gateway.upstream_timed_out",
            Self::UpstreamAnswer => "gateway.upstream_answer",
        }
    }

    pub(crate) const fn status(self) -> StatusCode {
        match self {
            Self::Unauthorized => StatusCode::UNAUTHORIZED,
            Self::UnknownRoute | Self::NotPublished | Self::UnknownNode => StatusCode::NOT_FOUND,
            Self::Method(_) => StatusCode::METHOD_NOT_ALLOWED,
            Self::Stopped(_) | Self::LeaseEnded | Self::NodeNotAdmitted | Self::Overloaded => {
                StatusCode::SERVICE_UNAVAILABLE
            }
            Self::TooOften => StatusCode::TOO_MANY_REQUESTS,
            Self::MediaType => StatusCode::UNSUPPORTED_MEDIA_TYPE,
            Self::TooLarge => StatusCode::PAYLOAD_TOO_LARGE,
            Self::NonceLength | Self::Verdict | Self::BodyTruncated => StatusCode::BAD_REQUEST,
            Self::BodyTimedOut => StatusCode::REQUEST_TIMEOUT,
            Self::UpstreamUnreachable | Self::UpstreamAnswer => StatusCode::BAD_GATEWAY,
            Self::UpstreamTimedOut => StatusCode::GATEWAY_TIMEOUT,
        }
    }

    pub(crate) fn response(self) -> Response<Body> {
        let mut response = Response::new(body::full(self.document()));
        *response.status_mut() = self.status();
        let headers = response.headers_mut();
        headers.insert(CONTENT_TYPE, HeaderValue::from_static(PROBLEM_MEDIA_TYPE));
        headers.insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
        match self {
            Self::Unauthorized => {
                headers.insert(WWW_AUTHENTICATE, HeaderValue::from_static("Bearer"))
            }
            Self::Method(allowed) => headers.insert(ALLOW, HeaderValue::from_static(allowed)),
            Self::Overloaded | Self::TooOften => {
                headers.insert(RETRY_AFTER, HeaderValue::from_static("1"))
            }
            Self::NodeNotAdmitted => headers.insert(RETRY_AFTER, HeaderValue::from_static("5")),
            _ => None,
        };
        response
    }

    fn document(self) -> String {
        let (status, code) = (self.status(), self.code());
        let mut document = serde_json::json!({
            "type": "about:blank",
            "title": status.canonical_reason(),
            "status": status.as_u16(),
            "code": code,
        });
        if let (Self::Stopped(Some(serial)), Some(members)) = (self, document.as_object_mut()) {
            members.insert("order".to_owned(), serial.into());
        }
        document.to_string()
    }
}

impl From<BodyError> for Problem {
    fn from(error: BodyError) -> Self {
        match error {
            BodyError::TooLarge { .. } => Self::TooLarge,
            BodyError::TimedOut { .. } => Self::BodyTimedOut,
            BodyError::Truncated(_) => Self::BodyTruncated,
        }
    }
}
