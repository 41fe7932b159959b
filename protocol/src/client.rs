//! The client's side: [`Sealer`] encrypts to an admitted node only, [`Opener`] reads the sealed answer.

use crate::{KeyConfigError, SignedKeyConfigs, SignedReceipt};
use attestation::{IdentityKey, UnixTime};
use policy::Admitted;

/// Encrypts requests to one admitted node for one key epoch.
pub struct Sealer {
    _private: (),
}

/// A request to seal: what an HTTP client would have sent.
#[derive(Clone, Copy, Debug)]
pub struct ClientRequest<'a> {
    /// `GET` or `POST`.
    pub method: &'a str,
    /// `/v1/chat/completions` and so on.
    pub path: &'a str,
    /// Content-Type of `body`, if there is one.
    pub content_type: Option<&'a str>,
    /// The body.
    pub body: &'a [u8],
    /// The model named in the body.
    pub model: Option<&'a str>,
    /// Country demanded.
    pub residency: Option<&'a str>,
    /// The request id; the same on a retry.
    pub request_id: [u8; 16],
}

/// A sealed request: the bytes to post, and nothing else about the prompt.
#[derive(Clone, Debug)]
pub struct SealedRequest {
    /// Body of the outer POST, [`crate::REQUEST_MEDIA_TYPE`].
    pub envelope: Vec<u8>,
}

/// Why nothing was sealed; `code()` is stable.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum SealError {
    /// The key list.
    #[error(transparent)]
    KeyConfig(#[from] KeyConfigError),
    /// The admission's time is over.
    #[error("the admission of the node has expired")]
    AdmissionExpired,
}

/// Opens one sealed response, chunk by chunk. Dropping it before [`Opener::finish`] succeeded means: truncated.
pub struct Opener {
    _private: (),
}

/// What came out of the seal, in order: one head, any number of body parts, one end.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ResponseEvent {
    /// Status and headers (lower-case names).
    Head {
        /// The final status, 200 to 599.
        status: u16,
        /// Header fields.
        headers: Vec<(String, Vec<u8>)>,
    },
    /// Part of the body; authenticated, but the whole is complete only after `End`.
    Body(Vec<u8>),
    /// The authenticated end, with the receipt from the trailer; its signature and its digests of this exchange are verified.
    End {
        /// The serving receipt, as received.
        receipt: SignedReceipt,
    },
}

/// Why a response was refused; `code()` is stable.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum OpenError {
    /// A chunk did not authenticate.
    #[error("a chunk of the response did not authenticate")]
    Authentication,
    /// The stream ended before its authenticated end.
    #[error("the response was truncated: it ended without its authenticated last chunk")]
    Truncated,
    /// An empty chunk that is not the last.
    #[error("the response has an empty chunk that is not its last")]
    EmptyChunk,
    /// A chunk above the limit.
    #[error("the response has a chunk above the limit")]
    ChunkTooLarge,
    /// Bytes after the authenticated end.
    #[error("the response goes on after its authenticated end")]
    AfterEnd,
    /// The inside is not BHTTP.
    #[error("the response's inside is not binary HTTP")]
    Bhttp,
    /// No receipt, or one that is malformed, by another identity or about another exchange.
    #[error("the response's receipt is refused: {0}")]
    Receipt(crate::ReceiptError),
}

impl Sealer {
    /// Takes the proof of admission and a key list signed by the admitted identity and valid at `now`.
    pub fn new(
        admitted: &Admitted,
        keys: &SignedKeyConfigs,
        now: UnixTime,
    ) -> Result<Self, SealError> {
        let _ = (admitted, keys, now);
        unimplemented!()
    }

    /// Until when this sealer may be used: least of admission and key list.
    #[must_use]
    pub fn not_after(&self) -> UnixTime {
        unimplemented!()
    }

    /// The node sealed to.
    #[must_use]
    pub fn node(&self) -> &str {
        unimplemented!()
    }

    /// Seals one request. A fresh encapsulation every time.
    pub fn seal(
        &self,
        request: &ClientRequest<'_>,
        now: UnixTime,
    ) -> Result<(SealedRequest, Opener), SealError> {
        let _ = (request, now);
        unimplemented!()
    }
}

impl Opener {
    /// Takes the next bytes of the outer response body, cut anywhere; gives what they complete.
    pub fn push(&mut self, bytes: &[u8]) -> Result<Vec<ResponseEvent>, OpenError> {
        let _ = bytes;
        unimplemented!()
    }

    /// The outer body has ended: gives the last events, the last of them `End`, or `Truncated`.
    pub fn finish(&mut self) -> Result<Vec<ResponseEvent>, OpenError> {
        unimplemented!()
    }

    /// The identity whose receipt is demanded.
    #[must_use]
    pub fn identity(&self) -> &IdentityKey {
        unimplemented!()
    }

    /// What opens the receipt's digests to an auditor; keep it beside the receipt.
    #[must_use]
    pub fn opening(&self) -> crate::Opening {
        unimplemented!()
    }
}
