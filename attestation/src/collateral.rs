//! Everything that a verification needs beside the evidence, in one value: the same bytes and the same time give the same verdict in ten years.
//!
//! On disk it is a CBOR CMW collection (RFC 9999), strict and capped; docs/collateral.md has the layout.

mod contents;
mod error;
mod limits;
mod tdx_record;
mod wire;

pub use contents::{Item, ItemKind};
pub use error::CollateralError;
pub use limits::MAX_COLLATERAL_BYTES;

use crate::{UnixTime, cbor::Fields, nvidia, tdx};

/// Endorsements and reference values of all vendors, each part as received.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct CollateralBundle {
    /// AMD's.
    pub snp: SnpCollateral,
    /// Intel's, one entry per FMSPC and time of issue.
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

impl CollateralBundle {
    /// Parses the received bytes: caps, encoding, order and completeness. What the parts say is for the verifiers to judge.
    pub fn from_cbor(bytes: &[u8]) -> Result<Self, CollateralError> {
        if bytes.len() > MAX_COLLATERAL_BYTES {
            return Err(CollateralError::TooLarge);
        }
        let mut fields =
            Fields::decode(bytes, MAX_COLLATERAL_BYTES).ok_or(CollateralError::NotDeterministic)?;
        let bundle = wire::read(&mut fields)?;
        fields.finish().ok_or(CollateralError::UnknownEntry)?;
        let is_empty = bundle == Self::default();
        (!is_empty).then_some(bundle).ok_or(CollateralError::Empty)
    }

    /// Deterministic CBOR: whatever the order of the parts here, and however often one is here, the bytes are the same.
    ///
    /// [`CollateralBundle::from_cbor`] refuses the bytes of an empty bundle and of one that is beyond a cap.
    #[must_use]
    pub fn to_cbor(&self) -> Vec<u8> {
        wire::write(self)
    }

    /// Everything of both, each once, in the order of the encoding.
    #[must_use]
    pub fn merge(mut self, other: Self) -> Self {
        self.snp.certificates.extend(other.snp.certificates);
        self.snp.crls.extend(other.snp.crls);
        self.tdx.extend(other.tdx);
        self.nvidia.rims.extend(other.nvidia.rims);
        self.nvidia.ocsp.extend(other.nvidia.ocsp);
        wire::sort(&mut self);
        self
    }

    /// What is in it and when each item holds, for people and for those who fetch anew.
    #[must_use]
    pub fn contents(&self) -> Vec<Item> {
        contents::of(self)
    }

    /// Intel's collateral of the platforms with `fmspc`: the newest that is current at `now`, else the newest, so that it is told
    /// as out of date and not as absent.
    #[must_use]
    pub fn tdx_of(&self, fmspc: [u8; 6], now: UnixTime) -> Option<&tdx::Collateral> {
        let of_platform = self
            .tdx
            .iter()
            .filter_map(|one| Some((contents::tcb_info_window(one, fmspc)?, one)));
        of_platform
            .max_by_key(|(window, _)| (window.contains(now), window.not_before))
            .map(|(_, collateral)| collateral)
    }
}

#[cfg(test)]
mod tests;
