//! The runtime's side: [`Receiver`] opens requests, [`Responder`] seals the answer.

mod intake;
mod opener;
mod responder;
#[cfg(test)]
mod tests;

pub use crate::exchange::ExchangeDigests;
pub use opener::RequestOpener;
pub use responder::Responder;

use crate::{
    PaddingProfile, SealedHeaders, TenantStatement,
    bhttp::BhttpError,
    chunk::ChunkError,
    crypto::{Aead, sha256},
    entropy,
    envelope::Header,
    hpke::{Kem, KemSecret, Suite},
    ohttp_keys::{self, KeyConfig},
    replay::{Refused, ReplaySet},
    secret::Heap,
};
use std::sync::{Arc, PoisonError, RwLock};

/// One epoch's private keys and replay set. No Debug, Clone or Serialize.
pub struct KeyEpoch {
    number: u64,
    key_id: u8,
    keys: [(Suite, KemSecret); 2],
    replay: ReplaySet,
}

/// Opens envelopes for the epochs it holds. Shared between connections.
pub struct Receiver {
    epochs: RwLock<Vec<Arc<KeyEpoch>>>,
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

/// What is offered, in the order of preference.
const SUITES: [Suite; 2] = [
    Suite {
        kem: Kem::XWing,
        aead: Aead::Aes256Gcm,
    },
    Suite {
        kem: Kem::X25519,
        aead: Aead::Aes128Gcm,
    },
];

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

impl KeyEpoch {
    /// Makes fresh X-Wing and X25519 keys for `epoch`, with room for `replay_capacity` envelopes. Without randomness the process ends.
    #[must_use]
    pub fn generate(epoch: u64, replay_capacity: usize) -> Self {
        let [key_id, ..] = epoch.to_le_bytes();
        let fresh = |suite: Suite| (suite, entropy::or_abort(KemSecret::generate(suite.kem, &Heap)));
        Self {
            number: epoch,
            key_id,
            keys: SUITES.map(fresh),
            replay: ReplaySet::new(replay_capacity),
        }
    }

    /// `application/ohttp-keys` of this epoch, for [`crate::KeyConfigs::configs`].
    #[must_use]
    pub fn ohttp_keys(&self) -> Vec<u8> {
        let mut out = Vec::new();
        for (suite, secret) in &self.keys {
            let config = KeyConfig {
                key_id: self.key_id,
                suite: *suite,
                public_key: secret.public().to_vec(),
            };
            ohttp_keys::encode(&config, &mut out);
        }
        out
    }

    /// Its number; the low byte is the key id.
    #[must_use]
    pub const fn number(&self) -> u64 {
        self.number
    }

    /// Reserves an encapsulation: of any number of the same, one succeeds.
    fn reserve(&self, enc: &[u8]) -> Result<(), ReceiverError> {
        self.replay
            .reserve(sha256(enc))
            .map_err(|refused| match refused {
                Refused::Replayed => ReceiverError::Replayed,
                Refused::Full => ReceiverError::ReplaySetFull(self.number),
            })
    }

    /// The private key that `header` is for, if this epoch offers its suite.
    fn secret(&self, header: &Header) -> Option<&KemSecret> {
        let mut keys = self.keys.iter();
        keys.find(|(suite, _)| *suite == header.suite)
            .map(|(_, secret)| secret)
    }
}

impl Receiver {
    /// A receiver without any epoch.
    #[must_use]
    pub const fn new(terms: Terms) -> Self {
        Self {
            epochs: RwLock::new(Vec::new()),
            terms,
        }
    }

    /// Opens envelopes of `epoch` from now on. One that was installed before with the same key id is retired.
    pub fn install(&self, epoch: KeyEpoch) {
        let mut epochs = self.epochs.write().unwrap_or_else(PoisonError::into_inner);
        epochs.retain(|other| other.key_id != epoch.key_id);
        epochs.push(Arc::new(epoch));
    }

    /// Opens no further envelope of epoch `number`; its keys and its replay set go when the last envelope under way is done.
    pub fn retire(&self, number: u64) {
        let mut epochs = self.epochs.write().unwrap_or_else(PoisonError::into_inner);
        epochs.retain(|epoch| epoch.number != number);
    }

    /// Starts on one envelope, of any epoch installed now.
    #[must_use]
    pub fn open(&self) -> RequestOpener {
        let epochs = self.epochs.read().unwrap_or_else(PoisonError::into_inner);
        RequestOpener::new(epochs.clone(), self.terms)
    }
}
