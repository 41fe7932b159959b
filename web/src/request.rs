//! What is to be verified: a JSON object whose one member says what it is. Members that are unknown, doubled or missing make it no request.

use crate::{azure::Azure, bundle::Bundle, nvidia, snp::Snp, tdx::Tdx};
use attestation::{bundle::MAX_BUNDLE_BYTES, collateral::MAX_COLLATERAL_BYTES};
use serde::Deserialize;

/// Room for the largest bundle beside the largest collateral, in hexadecimal.
pub(crate) const MAX_REQUEST_BYTES: usize =
    2 * (MAX_BUNDLE_BYTES + MAX_COLLATERAL_BYTES) + 64 * 1024;

/// One question.
#[derive(Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Request {
    Snp(Snp),
    Tdx(Tdx),
    Nvidia(nvidia::Device),
    NvidiaMachine(nvidia::Machine),
    Azure(Azure),
    Bundle(Bundle),
}

impl Request {
    /// Reads a request; `None` if it is none.
    pub(crate) fn parse(request: &[u8]) -> Option<Self> {
        if request.len() > MAX_REQUEST_BYTES {
            return None;
        }
        serde_json::from_slice(request).ok()
    }
}
