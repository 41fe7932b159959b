//! The serving receipt: COSE_Sign1 by the identity key, in the BHTTP trailer `narthex-receipt`.

use crate::{
    cose::{self, CoseError},
    exchange::ExchangeDigests,
    record::{RecordReader, RecordWriter},
};
use attestation::{BindingId, Digest, IdentityKey, UnixTime};

/// Most bytes of a signed receipt; base64url of as many fits a trailer section.
pub const MAX_SIGNED_RECEIPT: usize = 8_192;

const CONTENT_TYPE: &str = "application/vnd.narthex.receipt+cbor";
const VERSION: u64 = 1;

/// What the runtime signs about one exchange.
#[derive(Clone, Debug, PartialEq)]
pub struct Receipt {
    /// As sealed.
    pub request_id: [u8; 16],
    /// HMAC digests; an [`Opening`] opens them.
    pub digests: ExchangeDigests,
    /// The attestation that the client admitted.
    pub binding_id: BindingId,
    /// H(manifest).
    pub manifest: Digest,
    /// Policy in force at the runtime.
    pub policy_version: u64,
    /// Its digest.
    pub policy_digest: Digest,
    /// The client's own policy, as the client said.
    pub client_policy: Digest,
    /// Model name.
    pub model: String,
    /// SHA-256 of the model file.
    pub model_digest: Digest,
    /// SHA-256 of the AIBOM, if there is one.
    pub aibom_digest: Option<Digest>,
    /// The node.
    pub node: String,
    /// Key epoch of the request.
    pub epoch: u64,
    /// Scope of cached state: `request`.
    pub cache_scope: String,
    /// Country, if the node knows it.
    pub residency: Option<String>,
    /// Inner HTTP status.
    pub status: u16,
    /// Tokens in and out.
    pub usage: Usage,
    /// When the request was opened.
    pub received_at: UnixTime,
    /// When the last token was made.
    pub finished_at: UnixTime,
    /// Sampling: temperature in thousandths.
    pub temperature_milli: u32,
    /// Sampling: top-p in thousandths.
    pub top_p_milli: u32,
    /// Sampling: seed in use.
    pub seed: u64,
    /// Instruction-set path.
    pub isa: String,
    /// Engine mode.
    pub engine: String,
    /// Digest of the kernels.
    pub kernels_digest: Digest,
}

/// Tokens in and out.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
pub struct Usage {
    /// Tokens of the prompt.
    pub prompt_tokens: u32,
    /// Tokens of the answer.
    pub completion_tokens: u32,
}

/// COSE_Sign1 over a [`Receipt`], as received or as signed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SignedReceipt {
    bytes: Vec<u8>,
}

/// The secret that opens a receipt's digests: whoever holds it can show an auditor which request and answer were meant. No Debug.
#[derive(Clone)]
pub struct Opening {
    secret: zeroize::Zeroizing<[u8; 32]>,
}

/// Why a receipt was refused; `code()` is stable.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum ReceiptError {
    /// The trailer is absent.
    #[error("there is no receipt")]
    Absent,
    /// Not deterministic CBOR of the right shape.
    #[error("the receipt is malformed")]
    Malformed,
    /// Not signed by the attested identity.
    #[error("the receipt is not signed by the attested identity")]
    Signature,
    /// About another request, response, node, binding, policy or epoch.
    #[error("the receipt is about another exchange: {0}")]
    Mismatch(&'static str),
}

impl ReceiptError {
    /// Stable code.
    #[must_use]
    pub const fn code(&self) -> &'static str {
        match self {
            Self::Absent => "receipt.absent",
            Self::Malformed => "receipt.malformed",
            Self::Signature => "receipt.signature",
            Self::Mismatch(_) => "receipt.mismatch",
        }
    }
}

/// What an auditor is shown beside a receipt.
#[derive(Clone, Copy, Debug)]
pub struct DisclosedExchange<'a> {
    /// As sealed.
    pub method: &'a str,
    /// As sealed.
    pub path: &'a str,
    /// The request's body.
    pub request_body: &'a [u8],
    /// The inner status.
    pub status: u16,
    /// The response's body.
    pub response_body: &'a [u8],
    /// The token ids, if they are disclosed too.
    pub tokens: Option<&'a [u32]>,
}

impl Receipt {
    /// Signs.
    #[must_use]
    pub fn sign(&self, identity: &crate::IdentitySecret) -> SignedReceipt {
        let payload = self.write_sampling(self.write_subject(self.write_exchange()));
        SignedReceipt::from_bytes(cose::sign(CONTENT_TYPE, payload.encode(), identity))
    }

    /// Whether this receipt is about `exchange`, for whoever was given its opening.
    pub fn opens(
        &self,
        opening: &Opening,
        exchange: &DisclosedExchange<'_>,
    ) -> Result<(), ReceiptError> {
        let request =
            opening.request_digest(exchange.method, exchange.path, exchange.request_body);
        let response = opening.response_digest(exchange.status, exchange.response_body);
        let tokens = exchange.tokens.map(|tokens| opening.tokens_digest(tokens));
        require("request", self.digests.request == request)?;
        require("status", self.status == exchange.status)?;
        require("response", self.digests.response == response)?;
        require("tokens", tokens.is_none_or(|tokens| tokens == self.digests.tokens))
    }

    fn write_exchange(&self) -> RecordWriter {
        RecordWriter::default()
            .put("v", VERSION)
            .put_bytes("request-id", &self.request_id)
            .put_bytes("request", &self.digests.request)
            .put_bytes("response", &self.digests.response)
            .put_bytes("tokens", &self.digests.tokens)
            .put("status", self.status)
            .put("prompt-tokens", self.usage.prompt_tokens)
            .put("completion-tokens", self.usage.completion_tokens)
            .put("received-at", self.received_at.0)
            .put("finished-at", self.finished_at.0)
    }

    fn write_subject(&self, record: RecordWriter) -> RecordWriter {
        record
            .put_bytes("binding", &self.binding_id.0)
            .put_bytes("manifest", &self.manifest)
            .put("policy-version", self.policy_version)
            .put_bytes("policy-digest", &self.policy_digest)
            .put_bytes("client-policy", &self.client_policy)
            .put("model", self.model.as_str())
            .put_bytes("model-digest", &self.model_digest)
            .put_some("aibom-digest", self.aibom_digest.as_ref().map(<[u8; 32]>::as_slice))
            .put("node", self.node.as_str())
            .put("epoch", self.epoch)
            .put("cache-scope", self.cache_scope.as_str())
            .put_some("residency", self.residency.as_deref())
    }

    fn write_sampling(&self, record: RecordWriter) -> RecordWriter {
        record
            .put("temperature-milli", self.temperature_milli)
            .put("top-p-milli", self.top_p_milli)
            .put("seed", self.seed)
            .put("isa", self.isa.as_str())
            .put("engine", self.engine.as_str())
            .put_bytes("kernels-digest", &self.kernels_digest)
    }

    fn parse(payload: &[u8]) -> Option<Self> {
        let mut record = RecordReader::decode(payload, MAX_SIGNED_RECEIPT)?;
        let version: u64 = record.uint("v")?;
        let receipt = Self {
            request_id: record.array("request-id")?,
            digests: read_digests(&mut record)?,
            binding_id: BindingId(record.array("binding")?),
            manifest: record.array("manifest")?,
            policy_version: record.uint("policy-version")?,
            policy_digest: record.array("policy-digest")?,
            client_policy: record.array("client-policy")?,
            model: record.text("model")?,
            model_digest: record.array("model-digest")?,
            aibom_digest: optional(record.has("aibom-digest"), || record.array("aibom-digest"))?,
            node: record.text("node")?,
            epoch: record.uint("epoch")?,
            cache_scope: record.text("cache-scope")?,
            residency: optional(record.has("residency"), || record.text("residency"))?,
            status: record.uint("status")?,
            usage: read_usage(&mut record)?,
            received_at: UnixTime(record.uint("received-at")?),
            finished_at: UnixTime(record.uint("finished-at")?),
            temperature_milli: record.uint("temperature-milli")?,
            top_p_milli: record.uint("top-p-milli")?,
            seed: record.uint("seed")?,
            isa: record.text("isa")?,
            engine: record.text("engine")?,
            kernels_digest: record.array("kernels-digest")?,
        };
        record.complete(receipt).filter(|_| version == VERSION)
    }
}

fn read_digests(record: &mut RecordReader) -> Option<ExchangeDigests> {
    Some(ExchangeDigests {
        request: record.array("request")?,
        response: record.array("response")?,
        tokens: record.array("tokens")?,
    })
}

fn read_usage(record: &mut RecordReader) -> Option<Usage> {
    Some(Usage {
        prompt_tokens: record.uint("prompt-tokens")?,
        completion_tokens: record.uint("completion-tokens")?,
    })
}

/// `Some(None)` for an absent field; a present one must read.
fn optional<T>(present: bool, read: impl FnOnce() -> Option<T>) -> Option<Option<T>> {
    if present { read().map(Some) } else { Some(None) }
}

/// The receipt's statement `name` must hold.
pub(crate) const fn require(name: &'static str, holds: bool) -> Result<(), ReceiptError> {
    if holds {
        Ok(())
    } else {
        Err(ReceiptError::Mismatch(name))
    }
}

impl SignedReceipt {
    /// Wraps received bytes.
    #[must_use]
    pub const fn from_bytes(bytes: Vec<u8>) -> Self {
        Self { bytes }
    }

    /// The bytes.
    #[must_use]
    pub fn as_bytes(&self) -> &[u8] {
        &self.bytes
    }

    /// Checks shape and signature.
    pub fn verify(&self, identity: &IdentityKey) -> Result<Receipt, ReceiptError> {
        let payload = cose::open(CONTENT_TYPE, &self.bytes, MAX_SIGNED_RECEIPT, identity)?;
        Receipt::parse(&payload).ok_or(ReceiptError::Malformed)
    }
}

impl Opening {
    /// The 32 bytes, for the opening file.
    #[must_use]
    pub fn as_bytes(&self) -> &[u8; 32] {
        &self.secret
    }

    /// From an opening file.
    #[must_use]
    pub fn from_bytes(secret: [u8; 32]) -> Self {
        Self {
            secret: zeroize::Zeroizing::new(secret),
        }
    }
}

impl From<CoseError> for ReceiptError {
    fn from(error: CoseError) -> Self {
        match error {
            CoseError::Malformed => Self::Malformed,
            CoseError::Signature => Self::Signature,
        }
    }
}
