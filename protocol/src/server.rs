//! The runtime's side: [`Receiver`] opens requests, [`Responder`] seals the answer.

use crate::{KeyConfigs, SealedHeaders, SignedReceipt};
use attestation::{Digest, UnixTime};

/// One epoch's private keys and replay set. No Debug, Clone or Serialize.
pub struct KeyEpoch {
    _private: (),
}

/// Opens envelopes for the epochs it holds. Shared between connections.
pub struct Receiver {
    _private: (),
}

/// Opens one envelope, chunk by chunk.
pub struct RequestOpener {
    _private: (),
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

/// Seals one response.
pub struct Responder {
    _private: (),
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
    /// The replay set is full: rotate.
    #[error("the replay set is full")]
    ReplaySetFull,
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

impl KeyEpoch {
    /// Makes fresh X-Wing and X25519 keys for `epoch`, with room for `replay_capacity` envelopes.
    #[must_use]
    pub fn generate(epoch: u64, replay_capacity: usize) -> Self {
        let _ = (epoch, replay_capacity);
        unimplemented!()
    }

    /// `application/ohttp-keys` of this epoch, for [`KeyConfigs::configs`].
    #[must_use]
    pub fn ohttp_keys(&self) -> Vec<u8> {
        let _: Option<KeyConfigs> = None;
        unimplemented!()
    }
}

impl Receiver {
    /// A receiver with its current epoch; requests above `max_request_bytes` of plaintext are refused.
    #[must_use]
    pub fn new(current: KeyEpoch, max_request_bytes: usize) -> Self {
        let _ = (current, max_request_bytes);
        unimplemented!()
    }

    /// Starts on one envelope.
    #[must_use]
    pub fn open(&self) -> RequestOpener {
        unimplemented!()
    }
}

impl RequestOpener {
    /// Takes the next bytes of the envelope, cut anywhere. Replay is reserved once the first chunk has authenticated.
    pub fn push(&mut self, bytes: &[u8]) -> Result<(), ReceiverError> {
        let _ = bytes;
        unimplemented!()
    }

    /// The envelope has ended: the whole request, and what seals its answer.
    pub fn finish(self) -> Result<(Plaintext, Responder), ReceiverError> {
        unimplemented!()
    }
}

impl Responder {
    /// Starts the response: outer bytes to send first (response nonce and the sealed head).
    pub fn head(&mut self, status: u16, headers: &[(&str, &[u8])]) -> Vec<u8> {
        let _ = (status, headers);
        unimplemented!()
    }

    /// Seals part of the body (not empty) into one chunk.
    pub fn body(&mut self, part: &[u8]) -> Vec<u8> {
        let _ = part;
        unimplemented!()
    }

    /// HMAC of the request, the response body so far, and `tokens` (ids as u32 little-endian): what a receipt states.
    #[must_use]
    pub fn digests(&self, tokens: &[u32]) -> ExchangeDigests {
        let _ = tokens;
        unimplemented!()
    }

    /// Ends the response: the trailer with the receipt, then the authenticated last chunk.
    #[must_use]
    pub fn finish(self, receipt: &SignedReceipt) -> Vec<u8> {
        let _ = receipt;
        unimplemented!()
    }
}

/// HMAC-SHA256 digests under a secret exported from the request's HPKE context.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ExchangeDigests {
    /// Of method, path and body.
    pub request: Digest,
    /// Of status and body.
    pub response: Digest,
    /// Of the token ids.
    pub tokens: Digest,
}

const _: Option<UnixTime> = None;
