//! How much a policy lets a node take in at once.

/// `[limits]`: each field is optional, one of them is there.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct LimitRules {
    /// `maximum_context_tokens`: greatest `max-context-tokens` of the manifest.
    pub maximum_context_tokens: Option<u32>,
    /// `maximum_request_bytes`: greatest `max-request-bytes` of the manifest.
    pub maximum_request_bytes: Option<u32>,
}
