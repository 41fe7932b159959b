//! Bodies: the response body of our servers, and the collector of a request's body under a size cap and a deadline.

use bytes::{Bytes, BytesMut};
use http_body_util::{BodyExt, Empty, Full, combinators::UnsyncBoxBody};
use std::{pin::pin, time::Duration};

/// The error of a body that ended before its end; hyper then aborts the exchange instead of ending it cleanly.
pub type BoxError = Box<dyn std::error::Error + Send + Sync>;

/// A response body of any kind.
pub type Body = UnsyncBoxBody<Bytes, BoxError>;

/// A body that is all there.
#[must_use]
pub fn full(bytes: impl Into<Bytes>) -> Body {
    Full::new(bytes.into())
        .map_err(|never| match never {})
        .boxed_unsync()
}

/// No body.
#[must_use]
pub fn empty() -> Body {
    Empty::new().map_err(|never| match never {}).boxed_unsync()
}

/// A body that streams.
#[must_use]
pub fn streaming<B>(body: B) -> Body
where
    B: hyper::body::Body<Data = Bytes> + Send + 'static,
    B::Error: Into<BoxError>,
{
    body.map_err(Into::into).boxed_unsync()
}

/// Why a body was not read; `code()` is stable.
#[derive(Debug, thiserror::Error)]
pub enum BodyError {
    /// Declared or sent more than the cap.
    #[error("the body is larger than {max_bytes} bytes")]
    TooLarge {
        /// The cap.
        max_bytes: usize,
    },
    /// Not all there in time.
    #[error("the body did not arrive within {timeout:?}")]
    TimedOut {
        /// The time it had.
        timeout: Duration,
    },
    /// The peer broke off.
    #[error("the body broke off before its end")]
    Truncated(#[source] BoxError),
}

impl BodyError {
    /// Stable code.
    #[must_use]
    pub const fn code(&self) -> &'static str {
        match self {
            Self::TooLarge { .. } => "body.too_large",
            Self::TimedOut { .. } => "body.timed_out",
            Self::Truncated(_) => "body.truncated",
        }
    }
}

/// Reads a whole body of at most `max_bytes` that must be there within `timeout` of the call: a peer that stalls and one that drips are
/// refused alike. A declared length over the cap is refused before anything is read. Trailers are dropped.
pub async fn read_body<B>(body: B, max_bytes: usize, timeout: Duration) -> Result<Bytes, BodyError>
where
    B: hyper::body::Body<Data = Bytes>,
    B::Error: Into<BoxError>,
{
    let declared = body.size_hint().lower();
    if usize::try_from(declared).map_or(true, |declared| declared > max_bytes) {
        return Err(BodyError::TooLarge { max_bytes });
    }
    tokio::time::timeout(timeout, collect(body, max_bytes))
        .await
        .unwrap_or(Err(BodyError::TimedOut { timeout }))
}

async fn collect<B>(body: B, max_bytes: usize) -> Result<Bytes, BodyError>
where
    B: hyper::body::Body<Data = Bytes>,
    B::Error: Into<BoxError>,
{
    let mut body = pin!(body);
    let mut collected = BytesMut::new();
    while let Some(frame) = body.frame().await {
        let frame = frame.map_err(|error| BodyError::Truncated(error.into()))?;
        let Ok(data) = frame.into_data() else {
            continue;
        };
        if data.len() > max_bytes.saturating_sub(collected.len()) {
            return Err(BodyError::TooLarge { max_bytes });
        }
        collected.extend_from_slice(&data);
    }
    Ok(collected.freeze())
}
