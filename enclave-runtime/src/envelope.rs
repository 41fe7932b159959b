//! Receives one envelope: the opener is fed while the body streams in.

use crate::problem::Problem;
use bytes::Bytes;
use http_body_util::BodyExt;
use hyper::body::Body;
use protocol::{Plaintext, ReceiverError, RequestOpener, Responder};
use std::{pin::pin, time::Duration};
use tokio::time::timeout;

/// Why no request came out of an envelope; the log gets `code()`, the peer a [`Problem`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum EnvelopeError {
    /// The envelope itself.
    Refused(ReceiverError),
    /// The connection broke off.
    BrokenOff,
    /// It did not arrive in time.
    TimedOut,
}

impl EnvelopeError {
    pub(crate) const fn code(self) -> &'static str {
        match self {
            Self::Refused(error) => error.code(),
            Self::BrokenOff => "envelope.broken_off",
            Self::TimedOut => "envelope.timed_out",
        }
    }

    // R9.2
    pub(crate) const fn problem(self) -> Problem {
        match self {
            Self::Refused(ReceiverError::UnknownKey) => Problem::Key,
            Self::Refused(ReceiverError::ReplaySetFull(_)) => Problem::Busy,
            _ => Problem::Envelope,
        }
    }
}

/// Reads `body` to its authenticated end within `limit`.
pub(crate) async fn receive<B>(
    opener: RequestOpener,
    body: B,
    limit: Duration,
) -> Result<(Plaintext, Responder), EnvelopeError>
where
    B: Body<Data = Bytes>,
{
    timeout(limit, open(opener, body))
        .await
        .unwrap_or(Err(EnvelopeError::TimedOut))
}

async fn open<B>(
    mut opener: RequestOpener,
    body: B,
) -> Result<(Plaintext, Responder), EnvelopeError>
where
    B: Body<Data = Bytes>,
{
    let mut body = pin!(body);
    while let Some(frame) = body.frame().await {
        let frame = frame.map_err(|_| EnvelopeError::BrokenOff)?;
        if let Some(bytes) = frame.data_ref() {
            opener.push(bytes).map_err(EnvelopeError::Refused)?;
        }
    }
    opener.finish().map_err(EnvelopeError::Refused)
}
