//! Inner headers that travel only inside the seal, and what the runtime compares them with.

use attestation::{BindingId, Digest, UnixTime};

/// The sealed inner headers of one request.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SealedHeaders {
    /// `narthex-binding`: the attestation that the client admitted.
    pub binding_id: BindingId,
    /// `narthex-policy-version`: as in the signed key list.
    pub policy_version: u64,
    /// `narthex-policy-digest`: as in the signed key list.
    pub policy_digest: Digest,
    /// `narthex-client-policy`: digest of the client's own policy; only echoed in the receipt.
    pub client_policy: Digest,
    /// `narthex-request-id`: 16 random bytes; the same on a retry.
    pub request_id: [u8; 16],
    /// `narthex-issued-at`.
    pub issued_at: UnixTime,
    /// `narthex-node`.
    pub node: String,
    /// `narthex-model`; absent only where the route has no model (`GET /v1/models`).
    pub model: Option<String>,
    /// `narthex-residency`: ISO 3166-1 alpha-2 country demanded.
    pub residency: Option<String>,
}

/// What the runtime holds true of itself; a sealed header that differs is refused after opening.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RequestContext {
    /// Binding ids that this runtime has given evidence for and that still live.
    pub binding_ids: Vec<BindingId>,
    /// Policy in force.
    pub policy_version: u64,
    /// Its digest.
    pub policy_digest: Digest,
    /// This node's name.
    pub node: String,
    /// The model served.
    pub model: String,
    /// Country of this node, if it knows; a demanded residency that differs, or an unknown one, is refused.
    pub residency: Option<String>,
}

/// The header that did not match; `code()` is stable. The peer gets one coarse answer, the log gets the code.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("sealed header {0} is absent, malformed or does not match")]
pub struct HeaderMismatch(pub &'static str);

impl SealedHeaders {
    /// Whether these headers are meant for the runtime that `context` describes; `issued_at` may be at most 300 s off `now`.
    pub fn check(&self, context: &RequestContext, now: UnixTime) -> Result<(), HeaderMismatch> {
        let _ = (context, now);
        unimplemented!()
    }
}
