//! What a peer is told when it is refused: RFC 9457 problem details with a coarse code and no reason. The log has the reason.

use hyper::{
    Response, StatusCode,
    header::{ALLOW, CACHE_CONTROL, CONTENT_TYPE, HeaderValue, RETRY_AFTER},
};
use listener::{Body, BodyError, body};

/// Why a request was refused, in the order of the checks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Problem {
    /// No such route.
    UnknownRoute,
    /// The route exists, the method does not.
    Method,
    /// This address asks too often.
    TooOften,
    /// As much under way as is allowed.
    Busy,
    /// The body is not of the route's media type, or is encoded.
    MediaType,
    /// The body is over the route's cap.
    TooLarge,
    /// The body was not there in time.
    TimedOut,
    /// The body broke off.
    Truncated,
    /// No key for whoever asks so.
    Refused,
    /// Something is wrong here.
    Failed,
}

impl Problem {
    pub(crate) const fn code(self) -> &'static str {
        match self {
            Self::UnknownRoute => "releaser.unknown_route",
            Self::Method => "releaser.method",
            Self::TooOften => "releaser.too_often",
            Self::Busy => "releaser.busy",
            Self::MediaType => "releaser.media_type",
            Self::TooLarge => "releaser.too_large",
            Self::TimedOut => "releaser.timed_out",
            Self::Truncated => "releaser.truncated",
            Self::Refused => "releaser.refused",
            Self::Failed => "releaser.failed",
        }
    }

    const fn status(self) -> StatusCode {
        match self {
            Self::UnknownRoute => StatusCode::NOT_FOUND,
            Self::Method => StatusCode::METHOD_NOT_ALLOWED,
            Self::TooOften => StatusCode::TOO_MANY_REQUESTS,
            Self::Busy => StatusCode::SERVICE_UNAVAILABLE,
            Self::MediaType => StatusCode::UNSUPPORTED_MEDIA_TYPE,
            Self::TooLarge => StatusCode::PAYLOAD_TOO_LARGE,
            Self::TimedOut => StatusCode::REQUEST_TIMEOUT,
            Self::Truncated => StatusCode::BAD_REQUEST,
            Self::Refused => StatusCode::FORBIDDEN,
            Self::Failed => StatusCode::INTERNAL_SERVER_ERROR,
        }
    }

    pub(crate) fn response(self) -> Response<Body> {
        let mut response = Response::new(body::full(self.document()));
        *response.status_mut() = self.status();
        let headers = response.headers_mut();
        let media_type = HeaderValue::from_static("application/problem+json");
        headers.insert(CONTENT_TYPE, media_type);
        headers.insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
        match self {
            Self::Method => headers.insert(ALLOW, HeaderValue::from_static("POST")),
            Self::TooOften | Self::Busy => {
                headers.insert(RETRY_AFTER, HeaderValue::from_static("1"))
            }
            _ => None,
        };
        response
    }

    fn document(self) -> String {
        let status = self.status();
        let document = serde_json::json!({
            "type": "about:blank",
            "title": status.canonical_reason(),
            "status": status.as_u16(),
            "code": self.code(),
        });
        document.to_string()
    }
}

impl From<BodyError> for Problem {
    fn from(error: BodyError) -> Self {
        match error {
            BodyError::TooLarge { .. } => Self::TooLarge,
            BodyError::TimedOut { .. } => Self::TimedOut,
            BodyError::Truncated(_) => Self::Truncated,
        }
    }
}
