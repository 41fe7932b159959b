//! The serving receipt: COSE_Sign1 by the identity key, in the BHTTP trailer `narthex-receipt`.

use attestation::{BindingId, Digest, IdentityKey, UnixTime};

/// What the runtime signs about one exchange.
#[derive(Clone, Debug, PartialEq)]
pub struct Receipt {
    /// As sealed.
    pub request_id: [u8; 16],
    /// HMAC digests; an [`Opening`] opens them.
    pub digests: crate::server::ExchangeDigests,
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

impl Receipt {
    /// Signs.
    #[must_use]
    pub fn sign(&self, identity: &crate::IdentitySecret) -> SignedReceipt {
        let _ = identity;
        unimplemented!()
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
        let _ = identity;
        unimplemented!()
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
