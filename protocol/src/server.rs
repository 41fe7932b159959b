//! The runtime's side: [`Receiver`] opens requests, [`Responder`] seals the answer.

mod epoch;
mod intake;
mod opener;
mod records;
mod responder;
#[cfg(test)]
mod tests;

pub use crate::exchange::ExchangeDigests;
pub use epoch::KeyEpoch;
pub use opener::RequestOpener;
pub use responder::Responder;

use crate::{
    Form, PaddingProfile, SealedHeaders, TenantStatement, bhttp::BhttpError, chunk::ChunkError,
};
use epoch::OpenEpochs;
use std::sync::Arc;

/// Opens envelopes for the epochs it holds. Shared between connections.
pub struct Receiver {
    epochs: Arc<OpenEpochs>,
    terms: Terms,
}

/// What the node's manifest says of every exchange.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Terms {
    /// Largest request body, in bytes.
    pub max_request_bytes: usize,
    /// How answers are padded.
    pub padding: PaddingProfile,
}

/// An opened request. No Debug, Display, Clone or Serialize; wiped on drop.
pub struct Plaintext {
    /// Method, as sealed.
    pub method: String,
    /// Path, as sealed.
    pub path: String,
    /// Content-Type of the body.
    pub content_type: Option<String>,
    /// The narthex headers.
    pub headers: SealedHeaders,
    /// The body.
    pub body: zeroize::Zeroizing<Vec<u8>>,
}

/// Why an envelope was refused; `code()` is stable, the peer is told only `status()`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum ReceiverError {
    /// The header does not parse or names an algorithm that is not offered.
    #[error("the envelope's header is malformed")]
    Header,
    /// No such key id: RFC 9458 section 5.3's key problem, the client should fetch keys again.
    #[error("the envelope is for an unknown key")]
    UnknownKey,
    /// A chunk did not authenticate.
    #[error("a chunk of the request did not authenticate")]
    Authentication,
    /// Seen before in this epoch.
    #[error("the envelope was seen before")]
    Replayed,
    /// The replay set of this epoch is full: rotate.
    #[error("the replay set of epoch {0} is full")]
    ReplaySetFull(u64),
    /// An empty chunk that is not the last.
    #[error("the request has an empty chunk that is not its last")]
    EmptyChunk,
    /// Ended without its authenticated last chunk.
    #[error("the request was truncated")]
    Truncated,
    /// Above the size limit.
    #[error("the request is larger than the limit")]
    TooLarge,
    /// Bytes after the authenticated end.
    #[error("the request goes on after its authenticated end")]
    AfterEnd,
    /// The inside is not BHTTP.
    #[error("the request's inside is not binary HTTP")]
    Bhttp,
    /// A sealed header is absent or malformed.
    #[error("a sealed header is absent or malformed: {0}")]
    SealedHeader(&'static str),
}

impl ReceiverError {
    /// Stable code, for the operator's log.
    #[must_use]
    pub const fn code(&self) -> &'static str {
        match self {
            Self::Header => "request.header",
            Self::UnknownKey => "request.unknown_key",
            Self::Authentication => "request.authentication",
            Self::Replayed => "request.replayed",
            Self::ReplaySetFull(_) => "request.replay_set_full",
            Self::EmptyChunk => "request.empty_chunk",
            Self::Truncated => "request.truncated",
            Self::TooLarge => "request.too_large",
            Self::AfterEnd => "request.after_end",
            Self::Bhttp => "request.bhttp",
            Self::SealedHeader(_) => "request.sealed_header",
        }
    }

    /// The outer status: 503 when the epoch is used up, else one coarse 400.
    #[must_use]
    pub const fn status(&self) -> u16 {
        match self {
            Self::ReplaySetFull(_) => 503,
            _ => 400,
        }
    }

    /// The outer problem type: RFC 9458 section 5.3's for an unknown key, else none.
    #[must_use]
    pub const fn problem_type(&self) -> Option<&'static str> {
        match self {
            Self::UnknownKey => Some("https://iana.org/assignments/http-problem-types#ohttp-key"),
            _ => None,
        }
    }
}

impl From<ChunkError> for ReceiverError {
    fn from(error: ChunkError) -> Self {
        match error {
            ChunkError::TooLarge => Self::TooLarge,
            ChunkError::Empty => Self::EmptyChunk,
            ChunkError::Authentication => Self::Authentication,
            ChunkError::Truncated => Self::Truncated,
        }
    }
}

impl From<BhttpError> for ReceiverError {
    fn from(error: BhttpError) -> Self {
        match error {
            BhttpError::Padding => Self::AfterEnd,
            _ => Self::Bhttp,
        }
    }
}

impl Plaintext {
    /// Whether the sealed tenant credential, if there is one, is for this request.
    #[must_use]
    pub fn tenant_verifies(&self) -> bool {
        let statement = TenantStatement {
            request_id: &self.headers.request_id,
            binding_id: &self.headers.binding_id,
            method: &self.method,
            path: &self.path,
            body: &self.body,
        };
        let tenant = self.headers.tenant.as_ref();
        tenant.is_none_or(|credential| credential.verifies(&statement))
    }
}

impl Receiver {
    /// A receiver without any epoch.
    #[must_use]
    pub fn new(terms: Terms) -> Self {
        Self {
            epochs: Arc::default(),
            terms,
        }
    }

    /// Opens envelopes of `epoch` from now on. One that was installed before with the same key id is retired.
    pub fn install(&self, epoch: KeyEpoch) {
        self.epochs.insert(epoch);
    }

    /// Ends epoch `number`: its private keys are wiped, further envelopes get the key problem. One whose encapsulation was opened before may
    /// still finish; the replay set goes with the last of these.
    pub fn retire(&self, number: u64) {
        self.epochs.remove(number);
    }

    /// Starts on one chunked envelope, of whichever epoch is open when its encapsulation has come.
    #[must_use]
    pub fn open(&self) -> RequestOpener {
        self.open_in(Form::Chunked)
    }

    /// As [`Receiver::open`], for an envelope in `form`.
    #[must_use]
    pub fn open_in(&self, form: Form) -> RequestOpener {
        RequestOpener::new(form, Arc::clone(&self.epochs), self.terms)
    }
}
