//! What to fetch: derived from evidence, or named.

pub use super::ocsp::OcspNeed;
pub use attestation::tdx::PckCa;

use attestation::snp::{NamedVek, Product, SigningKey, SnpError, TcbVersion};
use std::collections::BTreeSet;

/// What a verification of some evidence needs beside it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Needs {
    /// From AMD.
    pub veks: Vec<VekNeed>,
    /// From Intel.
    pub tdx: BTreeSet<TdxNeed>,
    /// Ids of NVIDIA's reference manifests.
    pub rims: BTreeSet<String>,
    /// From NVIDIA's OCSP responder.
    pub ocsp: BTreeSet<OcspNeed>,
}
