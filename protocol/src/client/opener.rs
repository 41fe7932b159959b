//! Opens one sealed response and holds its receipt against the exchange.

use super::{computes::Computes, response::ResponseReader};
use crate::{
    Opening, Outcome, PaddingProfile, Receipt, ReceiptError, SignedReceipt,
    bhttp::BhttpError,
    chunk::{ChunkError, ChunkOpener, response_nonce_len},
    crypto::Aead,
    envelope::RESPONSE_LABEL,
    hpke::Exporter,
    receipt::require,
};
use attestation::{BindingId, Digest, IdentityKey};
use std::fmt;
use zeroize::Zeroizing;

/// Opens one sealed response, chunk by chunk. Dropping it before [`Opener::finish`] succeeded means: truncated.
pub struct Opener {
    expected: Expected,
    opening: Opening,
    start: ResponseStart,
    chunks: Option<ChunkOpener>,
    response: ResponseReader,
    progress: Progress,
    unfinished: Option<SignedReceipt>,
}

/// What came out of the seal, in order: one head, any number of body parts, one end. Debug tells a body's length only.
#[derive(Clone, PartialEq, Eq)]
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

/// What comes out of the seal before its end, lent: [`ResponseEvent`] without its copies. No Debug: it is what was sealed.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum ResponsePart<'a> {
    /// Status and headers, as in [`ResponseEvent::Head`].
    Head {
        /// The final status, 200 to 599.
        status: u16,
        /// Header fields.
        headers: &'a [(String, Vec<u8>)],
    },
    /// Part of the body, as in [`ResponseEvent::Body`]; not empty.
    Body(&'a [u8]),
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
    Receipt(ReceiptError),
    /// An authentic end, whose receipt says that the answer before it is not whole.
    #[error("the answer is NOT complete: the node itself says that it is {}", .0.as_str())]
    Outcome(Outcome),
}

impl fmt::Debug for ResponseEvent {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Head { status, .. } => write!(out, "Head({status})"),
            Self::Body(part) => write!(out, "Body({} bytes)", part.len()),
            Self::End { .. } => write!(out, "End"),
        }
    }
}

impl ResponsePart<'_> {
    /// Adds a copy to `events`; a body goes on where its last part ended.
    fn join(self, events: &mut Vec<ResponseEvent>) {
        match (self, events.last_mut()) {
            (Self::Head { status, headers }, _) => events.push(ResponseEvent::Head {
                status,
                headers: headers.to_vec(),
            }),
            (Self::Body(part), Some(ResponseEvent::Body(body))) => body.extend_from_slice(part),
            (Self::Body(part), _) => events.push(ResponseEvent::Body(part.to_vec())),
        }
    }
}

impl OpenError {
    /// Stable code.
    #[must_use]
    pub const fn code(&self) -> &'static str {
        match self {
            Self::Authentication => "response.authentication",
            Self::Truncated => "response.truncated",
            Self::EmptyChunk => "response.empty_chunk",
            Self::ChunkTooLarge => "response.chunk_too_large",
            Self::AfterEnd => "response.after_end",
            Self::Bhttp => "response.bhttp",
            Self::Receipt(error) => error.code(),
            Self::Outcome(_) => "receipt.outcome",
        }
    }
}

/// What the receipt must say: this exchange, this node, this client.
pub(super) struct Expected {
    pub(super) identity: IdentityKey,
    pub(super) request_id: [u8; 16],
    pub(super) request: Digest,
    pub(super) binding_id: BindingId,
    pub(super) manifest: Digest,
    pub(super) computes: Computes,
    pub(super) policy_version: u64,
    pub(super) policy_digest: Digest,
    pub(super) client_policy: Digest,
    pub(super) model: Option<String>,
    pub(super) node: String,
    pub(super) epoch: u64,
    pub(super) residency: Option<String>,
    pub(super) tokenizer: Digest,
    pub(super) template: Digest,
    pub(super) padding: PaddingProfile,
    pub(super) tenant: Option<[u8; 32]>,
}

/// Until the response's nonce is complete.
struct ResponseStart {
    aead: Aead,
    secret: Zeroizing<Vec<u8>>,
    enc: Vec<u8>,
    nonce: Vec<u8>,
}

/// Errors are final, and so is the end.
enum Progress {
    Open,
    Ended,
    Failed(OpenError),
}

impl Opener {
    pub(super) fn new(
        expected: Expected,
        opening: Opening,
        (exporter, aead): (&Exporter, Aead),
        enc: &[u8],
    ) -> Self {
        let mut secret = Zeroizing::new(vec![0; response_nonce_len(aead)]);
        exporter.export(RESPONSE_LABEL, &mut secret);
        Self {
            expected,
            opening,
            start: ResponseStart {
                aead,
                secret,
                enc: enc.to_vec(),
                nonce: Vec::new(),
            },
            chunks: None,
            response: ResponseReader::new(),
            progress: Progress::Open,
            unfinished: None,
        }
    }

    /// Takes the next bytes of the outer response body, cut anywhere; gives what they complete.
    pub fn push(&mut self, bytes: &[u8]) -> Result<Vec<ResponseEvent>, OpenError> {
        let mut events = Vec::new();
        self.push_with(bytes, |part| part.join(&mut events))?;
        Ok(events)
    }

    /// [`Opener::push`] that lends each part to `sink` instead of copying it: between head and end nothing is allocated once the
    /// longest chunk was seen. Parts that `sink` got before an error are authenticated, and the response is refused all the same.
    pub fn push_with(
        &mut self,
        bytes: &[u8],
        mut sink: impl FnMut(ResponsePart<'_>),
    ) -> Result<(), OpenError> {
        self.check_open()?;
        let result = self.read(bytes, &mut sink);
        self.remember(result)
    }

    /// The outer body has ended: gives the last events, the last of them `End`, or an error. `Truncated`: the end did not come (R6.11).
    /// `Outcome`: it came, and says that the answer is not whole (R7.4).
    pub fn finish(&mut self) -> Result<Vec<ResponseEvent>, OpenError> {
        self.check_open()?;
        let result = self.read_end();
        self.progress = Progress::Ended;
        self.remember(result)
    }

    /// The identity whose receipt is demanded.
    #[must_use]
    pub const fn identity(&self) -> &IdentityKey {
        &self.expected.identity
    }

    /// What opens the receipt's digests to an auditor; keep it beside the receipt.
    #[must_use]
    pub fn opening(&self) -> Opening {
        self.opening.clone()
    }

    /// After [`OpenError::Outcome`]: the receipt, verified like that of a whole answer.
    #[must_use]
    pub const fn unfinished(&self) -> Option<&SignedReceipt> {
        self.unfinished.as_ref()
    }

    const fn check_open(&self) -> Result<(), OpenError> {
        match self.progress {
            Progress::Open => Ok(()),
            Progress::Ended => Err(OpenError::AfterEnd),
            Progress::Failed(error) => Err(error),
        }
    }

    fn remember<T>(&mut self, result: Result<T, OpenError>) -> Result<T, OpenError> {
        if let Err(error) = result {
            self.progress = Progress::Failed(error);
        }
        result
    }

    fn read(
        &mut self,
        mut input: &[u8],
        sink: &mut impl FnMut(ResponsePart<'_>),
    ) -> Result<(), OpenError> {
        if self.chunks.is_none() {
            self.chunks = self.start.read(&mut input)?;
        }
        if let Some(chunks) = &mut self.chunks {
            while let Some(text) = chunks.next(&mut input)? {
                self.response.accept(text, sink)?;
            }
        }
        Ok(())
    }

    fn read_end(&mut self) -> Result<Vec<ResponseEvent>, OpenError> {
        let mut events = Vec::new();
        let mut sink = |part: ResponsePart<'_>| part.join(&mut events);
        let chunks = self.chunks.as_mut().ok_or(OpenError::Truncated)?;
        self.response.accept(chunks.finish()?, &mut sink)?;
        self.response.finish(&mut sink)?;
        let (receipt, outcome) = self.verified_receipt().map_err(OpenError::Receipt)?;
        if outcome != Outcome::Complete {
            self.unfinished = Some(receipt);
            return Err(OpenError::Outcome(outcome));
        }
        events.push(ResponseEvent::End { receipt });
        Ok(events)
    }

    fn verified_receipt(&self) -> Result<(SignedReceipt, Outcome), ReceiptError> {
        let signed = self.response.receipt()?;
        let receipt = signed.verify(&self.expected.identity)?;
        let digest = self.response.digest(&self.opening);
        let (status, response) = digest.ok_or(ReceiptError::Absent)?;
        require("status", receipt.status == status)?;
        require("response", receipt.digests.response == response)?;
        self.expected.check(&receipt)?;
        Ok((signed, receipt.outcome))
    }
}

impl Expected {
    /// R7.3.
    fn check(&self, receipt: &Receipt) -> Result<(), ReceiptError> {
        self.check_exchange(receipt)?;
        self.check_node(receipt)?;
        // What a refusal states is the runtime's own: that it serves another model, country or tenant, or obeys another policy, may be why it
        // refused.
        match receipt.status {
            404 | 421 => Ok(()),
            _ => self.check_terms(receipt),
        }
    }

    fn check_exchange(&self, receipt: &Receipt) -> Result<(), ReceiptError> {
        require("request-id", receipt.request_id == self.request_id)?;
        require("request", receipt.digests.request == self.request)?;
        require("client-policy", receipt.client_policy == self.client_policy)
    }

    fn check_node(&self, receipt: &Receipt) -> Result<(), ReceiptError> {
        require("binding", receipt.binding_id == self.binding_id)?;
        require("manifest", receipt.manifest == self.manifest)?;
        require("tokenizer", receipt.tokenizer_digest == self.tokenizer)?;
        require("template", receipt.template_digest == self.template)?;
        require("padding", receipt.padding == self.padding)?;
        self.computes.check(receipt)?;
        require("node", receipt.node == self.node)?;
        require("epoch", receipt.epoch == self.epoch)
    }

    /// What was asked for and under which policy.
    fn check_terms(&self, receipt: &Receipt) -> Result<(), ReceiptError> {
        let model = self.model.as_ref();
        let version = receipt.policy_version == self.policy_version;
        require("policy-version", version)?;
        require("policy-digest", receipt.policy_digest == self.policy_digest)?;
        let model = model.is_none_or(|model| *model == receipt.model);
        require("model", model)?;
        require("tenant", receipt.tenant == self.tenant)?;
        let residency = self.residency.is_none() || receipt.residency == self.residency;
        require("residency", residency)
    }
}

impl ResponseStart {
    /// Gathers the nonce; the opener of the chunks, once it is complete.
    fn read(&mut self, input: &mut &[u8]) -> Result<Option<ChunkOpener>, OpenError> {
        let length = response_nonce_len(self.aead);
        let missing = length.saturating_sub(self.nonce.len()).min(input.len());
        let (taken, rest) = input.split_at_checked(missing).unwrap_or((input, &[]));
        self.nonce.extend_from_slice(taken);
        *input = rest;
        if self.nonce.len() < length {
            return Ok(None);
        }
        let chunks = ChunkOpener::response(self.aead, &self.secret, &self.enc, &self.nonce);
        chunks.map(Some).ok_or(OpenError::Authentication)
    }
}

impl From<ChunkError> for OpenError {
    fn from(error: ChunkError) -> Self {
        match error {
            ChunkError::TooLarge => Self::ChunkTooLarge,
            ChunkError::Empty => Self::EmptyChunk,
            ChunkError::Authentication => Self::Authentication,
            ChunkError::Truncated => Self::Truncated,
        }
    }
}

impl From<BhttpError> for OpenError {
    fn from(error: BhttpError) -> Self {
        match error {
            BhttpError::Padding => Self::AfterEnd,
            _ => Self::Bhttp,
        }
    }
}
