//! Why the server was not taken, or a job with it failed.

use std::io;

/// Why the server was not taken, or what it did with a request; `code()` is stable.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum UpstreamError {
    /// No connection.
    #[error("the upstream engine cannot be reached: {0}")]
    Unreachable(io::ErrorKind),
    /// No answer in time.
    #[error("the upstream engine did not answer in time")]
    TimedOut,
    /// It does not serve the model.
    #[error("the upstream engine does not list the model")]
    NoModel,
    /// It refused the request.
    #[error("the upstream engine answered with status {0}")]
    Status(u16),
    /// Another media type than was asked for.
    #[error("the upstream engine answered with another media type")]
    MediaType,
    /// Over a size cap.
    #[error("the upstream engine's answer is too large")]
    TooLarge,
    /// Not what the API documents.
    #[error("the upstream engine's answer is malformed")]
    Malformed,
    /// It broke off before the end.
    #[error("the upstream engine's answer broke off")]
    Truncated,
}

impl UpstreamError {
    /// Stable code.
    #[must_use]
    pub const fn code(&self) -> &'static str {
        match self {
            Self::Unreachable(_) => "engine.upstream.unreachable",
            Self::TimedOut => "engine.upstream.timed_out",
            Self::NoModel => "engine.upstream.no_model",
            Self::Status(_) => "engine.upstream.status",
            Self::MediaType => "engine.upstream.media_type",
            Self::TooLarge => "engine.upstream.too_large",
            Self::Malformed => "engine.upstream.malformed",
            Self::Truncated => "engine.upstream.truncated",
        }
    }
}

impl From<io::Error> for UpstreamError {
    fn from(error: io::Error) -> Self {
        Self::Unreachable(error.kind())
    }
}
