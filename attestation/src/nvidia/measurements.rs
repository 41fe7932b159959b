//! A device's measurements against what its manifests say that they may be.

use super::{Authentic, Nvdec0, NvidiaError, manifests::Manifest, rim::Golden};

/// Measured by a video decoder that may be switched off: not to be compared then.
const NVDEC0_INDEX: u8 = 35;

/// What a manifest was found to say.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RimClaims {
    /// The version that it is for, which is the device's.
    pub version: String,
    /// Measurements that are among the values of the manifest.
    pub matched: usize,
    /// Indices that were not judged, because the device says that the part is switched off.
    pub not_judged: Vec<u8>,
}

/// Which manifest a mismatch is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Firmware {
    /// What the driver loads.
    Driver,
    /// What the device boots from.
    Vbios,
}

impl Firmware {
    /// Id of the step that compares.
    pub(super) const fn step(self) -> &'static str {
        match self {
            Self::Driver => "nvidia.measurements.driver",
            Self::Vbios => "nvidia.measurements.vbios",
        }
    }
}

impl std::fmt::Display for Firmware {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.write_str(match self {
            Self::Driver => "driver",
            Self::Vbios => "VBIOS",
        })
    }
}

/// No measurement may be the business of both manifests.
pub(super) fn check_apart(driver: &Manifest, vbios: &Manifest) -> Result<(), NvidiaError> {
    let is_in_both = |golden: &&Golden| active(vbios).any(|other| other.index == golden.index);
    let conflict = active(driver).find(is_in_both);
    conflict.map_or(Ok(()), |golden| {
        Err(NvidiaError::MeasurementConflict(golden.index))
    })
}

/// Compares every measurement that `manifest` has values for: one that the device does not give is a mismatch.
pub(super) fn compare(
    authentic: &Authentic,
    manifest: &Manifest,
    firmware: Firmware,
) -> Result<RimClaims, NvidiaError> {
    let (matching, other): (Vec<_>, Vec<_>) =
        active(manifest).partition(|golden| matches(authentic, golden));
    let is_off = authentic.device().nvdec0 == Some(Nvdec0::Disabled);
    let (not_judged, mismatched): (Vec<u8>, Vec<u8>) = other
        .iter()
        .map(|golden| golden.index)
        .partition(|index| is_off && *index == NVDEC0_INDEX);
    if !mismatched.is_empty() || matching.is_empty() {
        return Err(NvidiaError::Measurements {
            firmware,
            indices: mismatched,
        });
    }
    Ok(RimClaims {
        version: manifest.rim.version.clone(),
        matched: matching.len(),
        not_judged,
    })
}

fn active(manifest: &Manifest) -> impl Iterator<Item = &Golden> {
    manifest
        .rim
        .measurements
        .iter()
        .filter(|golden| golden.active)
}

/// The report counts its blocks from 1, the manifest from 0.
fn matches(authentic: &Authentic, golden: &Golden) -> bool {
    let block = golden.index.checked_add(1);
    let digest = block.and_then(|index| authentic.measurements.get(&index)?.as_deref());
    digest.is_some_and(|digest| golden.alternatives.iter().any(|value| value == digest))
}
