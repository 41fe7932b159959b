//! The serving receipt: COSE_Sign1 by the identity key, in the BHTTP trailer `narthex-receipt`.

#[cfg(test)]
mod tests;

use crate::{
    PaddingProfile,
    cose::{self, CoseError},
    exchange::ExchangeDigests,
};
use attestation::{
    BindingId, Digest, IdentityKey, UnixTime,
    cbor::{self, Fields},
    manifest::{Arithmetic, GpuKernels},
};
use ciborium::Value;

/// Most bytes of a signed receipt; base64url of as many fits a trailer section.
pub const MAX_SIGNED_RECEIPT: usize = 8_192;

/// The trailer that carries the signed receipt, base64url without padding.
pub(crate) const TRAILER: &str = "narthex-receipt";

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
    /// H(tokenizer).
    pub tokenizer_digest: Digest,
    /// SHA-256 of the chat template's text.
    pub template_digest: Digest,
    /// SHA-256 of the AIBOM, if there is one.
    pub aibom_digest: Option<Digest>,
    /// The node.
    pub node: String,
    /// Key epoch of the request.
    pub epoch: u64,
    /// Scope of cached state: `request`.
    pub cache_scope: String,
    /// The tenant's public key, if a credential was sealed.
    pub tenant: Option<[u8; 32]>,
    /// Country, if the node knows it.
    pub residency: Option<String>,
    /// How the exchange was padded.
    pub padding: PaddingProfile,
    /// Whether the answer is whole.
    pub outcome: Outcome,
    /// Inner HTTP status.
    pub status: u16,
    /// Tokens in and out.
    pub usage: Usage,
    /// When the request was opened.
    pub received_at: UnixTime,
    /// When this receipt was signed.
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
    /// What computed on GPUs, as in the manifest; `None` where the CPU did.
    pub gpu: Option<GpuKernels>,
}

/// Tokens in and out.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
pub struct Usage {
    /// Tokens of the prompt.
    pub prompt_tokens: u32,
    /// Tokens of the answer.
    pub completion_tokens: u32,
}

/// How an exchange ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// The answer was given to its end; an error that was the whole answer, too.
    Complete,
    /// The engine broke off after the answer had begun.
    Failed,
    /// The client went away; the receipt was kept for it.
    Abandoned,
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

/// What an auditor is shown beside a receipt. No Debug.
#[derive(Clone, Copy)]
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

impl Outcome {
    /// Its name in a receipt.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Complete => "complete",
            Self::Failed => "failed",
            Self::Abandoned => "abandoned",
        }
    }

    fn parse(name: &str) -> Option<Self> {
        let mut all = [Self::Complete, Self::Failed, Self::Abandoned].into_iter();
        all.find(|outcome| outcome.as_str() == name)
    }
}

impl Receipt {
    /// Signs.
    #[must_use]
    pub fn sign(&self, identity: &crate::IdentitySecret) -> SignedReceipt {
        let fields = self.exchange_fields().into_iter();
        let fields = fields.chain(self.subject_fields());
        let fields = fields.chain(self.sampling_fields());
        let payload = cbor::encode(&cbor::map(fields.chain(self.optional_fields())));
        SignedReceipt::from_bytes(cose::sign(CONTENT_TYPE, payload, identity))
    }

    /// Whether this receipt is about `exchange`, for whoever was given its opening.
    pub fn opens(
        &self,
        opening: &Opening,
        exchange: &DisclosedExchange<'_>,
    ) -> Result<(), ReceiptError> {
        let request = opening.request_digest(exchange.method, exchange.path, exchange.request_body);
        let response = opening.response_digest(exchange.status, exchange.response_body);
        let tokens = exchange.tokens.map(|tokens| opening.tokens_digest(tokens));
        require("request", self.digests.request == request)?;
        require("status", self.status == exchange.status)?;
        require("response", self.digests.response == response)?;
        require(
            "tokens",
            tokens.is_none_or(|tokens| tokens == self.digests.tokens),
        )
    }

    fn exchange_fields(&self) -> [(&'static str, Value); 12] {
        [
            ("v", VERSION.into()),
            ("request-id", self.request_id.as_slice().into()),
            ("request", self.digests.request.as_slice().into()),
            ("response", self.digests.response.as_slice().into()),
            ("tokens", self.digests.tokens.as_slice().into()),
            ("status", self.status.into()),
            ("prompt-tokens", self.usage.prompt_tokens.into()),
            ("completion-tokens", self.usage.completion_tokens.into()),
            ("received-at", self.received_at.0.into()),
            ("finished-at", self.finished_at.0.into()),
            ("padding", self.padding.as_str().into()),
            ("outcome", self.outcome.as_str().into()),
        ]
    }

    fn subject_fields(&self) -> [(&'static str, Value); 12] {
        [
            ("binding", self.binding_id.0.as_slice().into()),
            ("manifest", self.manifest.as_slice().into()),
            ("policy-version", self.policy_version.into()),
            ("policy-digest", self.policy_digest.as_slice().into()),
            ("client-policy", self.client_policy.as_slice().into()),
            ("model", self.model.as_str().into()),
            ("model-digest", self.model_digest.as_slice().into()),
            ("tokenizer-digest", self.tokenizer_digest.as_slice().into()),
            ("template-digest", self.template_digest.as_slice().into()),
            ("node", self.node.as_str().into()),
            ("epoch", self.epoch.into()),
            ("cache-scope", self.cache_scope.as_str().into()),
        ]
    }

    fn sampling_fields(&self) -> [(&'static str, Value); 6] {
        [
            ("temperature-milli", self.temperature_milli.into()),
            ("top-p-milli", self.top_p_milli.into()),
            ("seed", self.seed.into()),
            ("isa", self.isa.as_str().into()),
            ("engine", self.engine.as_str().into()),
            ("kernels-digest", self.kernels_digest.as_slice().into()),
        ]
    }

    fn optional_fields(&self) -> impl Iterator<Item = (&'static str, Value)> {
        let aibom = self.aibom_digest.as_ref();
        let aibom = aibom.map(|digest| ("aibom-digest", digest.as_slice().into()));
        let tenant = self.tenant.as_ref();
        let tenant = tenant.map(|key| ("tenant", key.as_slice().into()));
        let residency = self.residency.as_deref();
        let residency = residency.map(|country| ("residency", country.into()));
        let gpu = self.gpu.iter().flat_map(gpu_fields);
        aibom.into_iter().chain(tenant).chain(residency).chain(gpu)
    }

    // R7.1
    fn parse(payload: &[u8]) -> Option<Self> {
        let mut fields = Fields::decode(payload, MAX_SIGNED_RECEIPT)?;
        let version: u64 = fields.take_uint("v")?;
        let receipt = Self {
            request_id: fields.take_array("request-id")?,
            digests: take_digests(&mut fields)?,
            binding_id: BindingId(fields.take_array("binding")?),
            manifest: fields.take_array("manifest")?,
            policy_version: fields.take_uint("policy-version")?,
            policy_digest: fields.take_array("policy-digest")?,
            client_policy: fields.take_array("client-policy")?,
            model: fields.take_text("model")?,
            model_digest: fields.take_array("model-digest")?,
            tokenizer_digest: fields.take_array("tokenizer-digest")?,
            template_digest: fields.take_array("template-digest")?,
            aibom_digest: optional(fields.has("aibom-digest"), || {
                fields.take_array("aibom-digest")
            })?,
            node: fields.take_text("node")?,
            epoch: fields.take_uint("epoch")?,
            cache_scope: fields.take_text("cache-scope")?,
            tenant: optional(fields.has("tenant"), || fields.take_array("tenant"))?,
            residency: optional(fields.has("residency"), || fields.take_text("residency"))?,
            padding: PaddingProfile::parse(&fields.take_text("padding")?)?,
            outcome: Outcome::parse(&fields.take_text("outcome")?)?,
            status: fields.take_uint("status")?,
            usage: take_usage(&mut fields)?,
            received_at: UnixTime(fields.take_uint("received-at")?),
            finished_at: UnixTime(fields.take_uint("finished-at")?),
            temperature_milli: fields.take_uint("temperature-milli")?,
            top_p_milli: fields.take_uint("top-p-milli")?,
            seed: fields.take_uint("seed")?,
            isa: fields.take_text("isa")?,
            engine: fields.take_text("engine")?,
            kernels_digest: fields.take_array("kernels-digest")?,
            gpu: take_gpu(&mut fields)?,
        };
        fields.finish()?;
        (version == VERSION).then_some(receipt)
    }
}

fn take_digests(fields: &mut Fields) -> Option<ExchangeDigests> {
    Some(ExchangeDigests {
        request: fields.take_array("request")?,
        response: fields.take_array("response")?,
        tokens: fields.take_array("tokens")?,
    })
}

fn take_usage(fields: &mut Fields) -> Option<Usage> {
    Some(Usage {
        prompt_tokens: fields.take_uint("prompt-tokens")?,
        completion_tokens: fields.take_uint("completion-tokens")?,
    })
}

fn gpu_fields(gpu: &GpuKernels) -> [(&'static str, Value); 2] {
    [
        ("arithmetic", gpu.arithmetic.as_str().into()),
        ("cubins-digest", gpu.cubins_digest.as_slice().into()),
    ]
}

/// Both fields or none.
fn take_gpu(fields: &mut Fields) -> Option<Option<GpuKernels>> {
    let present = fields.has("arithmetic") || fields.has("cubins-digest");
    optional(present, || {
        Some(GpuKernels {
            arithmetic: Arithmetic::parse(&fields.take_text("arithmetic")?)?,
            cubins_digest: fields.take_array("cubins-digest")?,
        })
    })
}

/// `Some(None)` for an absent field; a present one must read.
fn optional<T>(present: bool, take: impl FnOnce() -> Option<T>) -> Option<Option<T>> {
    if present {
        take().map(Some)
    } else {
        Some(None)
    }
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

    /// What the bytes say, whoever signed them: for showing, not for believing.
    pub fn read_unverified(&self) -> Result<Receipt, ReceiptError> {
        let payload = cose::open_unverified(CONTENT_TYPE, &self.bytes, MAX_SIGNED_RECEIPT)?;
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
