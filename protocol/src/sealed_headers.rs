//! Inner headers that travel only inside the seal, and what the runtime compares them with.

mod parse;
#[cfg(test)]
mod tests;

pub(crate) use parse::FieldLines;

use crate::{CacheSecret, TenantCredential};
use attestation::{BindingId, Digest, UnixTime};

/// Most seconds that a request's `narthex-issued-at` may differ from the runtime's clock.
pub const MAX_CLOCK_SKEW_S: u64 = 300;

pub(crate) const BINDING: &str = "narthex-binding";
pub(crate) const POLICY_VERSION: &str = "narthex-policy-version";
pub(crate) const POLICY_DIGEST: &str = "narthex-policy-digest";
pub(crate) const CLIENT_POLICY: &str = "narthex-client-policy";
pub(crate) const REQUEST_ID: &str = "narthex-request-id";
pub(crate) const ISSUED_AT: &str = "narthex-issued-at";
pub(crate) const NODE: &str = "narthex-node";
pub(crate) const MODEL: &str = "narthex-model";
pub(crate) const RESIDENCY: &str = "narthex-residency";
pub(crate) const TENANT: &str = "narthex-tenant";
pub(crate) const CACHE_SECRET: &str = "narthex-cache-secret";

/// The authority of every sealed request.
pub(crate) const AUTHORITY: &str = "narthex";
/// The scheme of every sealed request.
pub(crate) const SCHEME: &str = "https";
/// The list of models, which names none of them.
const MODELS_PATH: &str = "/v1/models";
/// Receipts by request id, which name no model either.
const RECEIPTS_PREFIX: &str = "/narthex/receipts/";

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
    /// `narthex-model`; absent only where the route has no model (`GET /v1/models`, `GET /narthex/receipts/..`).
    pub model: Option<String>,
    /// `narthex-residency`: ISO 3166-1 alpha-2 country demanded.
    pub residency: Option<String>,
    /// `narthex-tenant`: who asks; verified against the body by [`crate::Plaintext::tenant_verifies`].
    pub tenant: Option<TenantCredential>,
    /// `narthex-cache-secret`: whoever names the same may share cached state.
    pub cache_secret: Option<CacheSecret>,
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

impl HeaderMismatch {
    /// Stable code; the header is in the text.
    #[must_use]
    pub const fn code(&self) -> &'static str {
        "sealed_header.mismatch"
    }
}

impl SealedHeaders {
    /// Whether these headers are meant for the runtime that `context` describes; `issued_at` may be at most 300 s off `now`.
    pub fn check(&self, context: &RequestContext, now: UnixTime) -> Result<(), HeaderMismatch> {
        let skew = now.0.abs_diff(self.issued_at.0);
        let model = self.model.as_ref();
        let checks = [
            (BINDING, context.binding_ids.contains(&self.binding_id)),
            (
                POLICY_VERSION,
                self.policy_version == context.policy_version,
            ),
            (POLICY_DIGEST, self.policy_digest == context.policy_digest),
            (ISSUED_AT, skew <= MAX_CLOCK_SKEW_S),
            (NODE, self.node == context.node),
            (MODEL, model.is_none_or(|model| *model == context.model)),
            (
                RESIDENCY,
                self.residency.is_none() || self.residency == context.residency,
            ),
        ];
        match checks.iter().find(|(_, holds)| !holds) {
            Some((header, _)) => Err(HeaderMismatch(header)),
            None => Ok(()),
        }
    }
}

/// A node's name: 1 to 63 of `a-z 0-9 -`.
pub(crate) fn is_node(name: &str) -> bool {
    let allowed = |byte: u8| matches!(byte, b'a'..=b'z' | b'0'..=b'9' | b'-');
    (1..=63).contains(&name.len()) && name.bytes().all(allowed)
}

/// An ISO 3166-1 alpha-2 country code.
pub(crate) fn is_country(code: &str) -> bool {
    code.len() == 2 && code.bytes().all(|byte| byte.is_ascii_uppercase())
}
