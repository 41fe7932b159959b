//! Everything that a verification needs beside the evidence, in one value: the same bytes and the same time give the same verdict in ten years.

use crate::{nvidia, tdx};

/// Endorsements and reference values of all vendors, each part as received.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct CollateralBundle {
    /// AMD's.
    pub snp: SnpCollateral,
    /// Intel's, one entry per FMSPC.
    pub tdx: Vec<tdx::Collateral>,
    /// NVIDIA's.
    pub nvidia: nvidia::References,
}

/// AMD's endorsements, DER.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct SnpCollateral {
    /// VCEKs, VLEKs, ASKs, ASVKs: used where the evidence brings none.
    pub certificates: Vec<Vec<u8>>,
    /// Revocation lists of the ARKs.
    pub crls: Vec<Vec<u8>>,
}
