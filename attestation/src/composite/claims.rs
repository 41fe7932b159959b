//! What a verified node says.

use crate::{
    BindingId, Digest, IdentityKey, Manifest, Nonce, UnixTime, nvidia::MachineClaims,
    snp::SnpClaims, tdx::TdxClaims,
};

/// Whose root certificates anchored the verdict.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Anchors {
    /// The vendors' pinned roots.
    Vendor,
    /// Roots given through [`crate::danger`]; every parsed policy denies them.
    Custom,
}

/// Claims of the CPU's TEE.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum CpuClaims {
    /// AMD SEV-SNP.
    Snp(Box<SnpClaims>),
    /// Intel TDX.
    Tdx(Box<TdxClaims>),
}

/// Claims of one node: nonce- and hash-linked through a measured guest, not "hardware-bound".
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NodeClaims {
    /// The CPU's.
    pub cpu: CpuClaims,
    /// Those of the GPUs and switches, in the order in which report_data binds them; `None` on a node without any.
    pub devices: Option<MachineClaims>,
    /// Whose roots.
    pub anchors: Anchors,
    /// The attested identity key.
    pub identity: IdentityKey,
    /// The attested manifest.
    pub manifest: Manifest,
    /// H(manifest).
    pub manifest_digest: Digest,
    /// Names this attestation.
    pub binding_id: BindingId,
    /// The nonce proven to be in report_data; `None` when the caller demanded none (an archived bundle).
    pub nonce: Option<Nonce>,
    /// Least end of any window that the verdict rests on.
    pub not_after: UnixTime,
}

impl CpuClaims {
    /// REPORT_DATA or REPORTDATA, 64 bytes.
    #[must_use]
    pub const fn report_data(&self) -> &[u8; 64] {
        match self {
            Self::Snp(claims) => &claims.report_data,
            Self::Tdx(claims) => &claims.td.report_data,
        }
    }

    /// Least end of any window that the claims rest on.
    #[must_use]
    pub const fn not_after(&self) -> UnixTime {
        match self {
            Self::Snp(claims) => claims.not_after,
            Self::Tdx(claims) => claims.not_after,
        }
    }
}
