//! Whether the devices of a machine are all there, each once, and linked with each other alone.

use super::{Authentic, Device, Feature, Kind, NvidiaError, Pdi};
use std::collections::BTreeSet;

/// What a whole machine's devices say together.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TopologyClaims {
    /// How many GPUs.
    pub gpus: usize,
    /// How many switches.
    pub switches: usize,
    /// What all GPUs are set up for; `None` if their firmware does not tell.
    pub feature: Option<Feature>,
    /// Whether the signed links prove that no device was left out. Only protected PCIe has such links: otherwise the count is the caller's to expect.
    pub is_whole: bool,
    /// The nonce that all of them answered.
    pub nonce: [u8; 32],
}

/// Checks all `devices` of one machine together.
///
/// Every device must have another identifier, all GPUs the same feature, and all reports the same nonce. Under protected PCIe, or with a
/// switch among them, each GPU must be linked to exactly the switches given and each switch to exactly the GPUs given.
pub fn check(devices: &[Authentic]) -> Result<TopologyClaims, NvidiaError> {
    let devices: Vec<&Device> = devices.iter().map(Authentic::device).collect();
    let first = devices.first().ok_or(NvidiaError::NoDevices)?;
    check_unique(&devices)?;
    check_nonce(&devices, first.nonce)?;
    let feature = common_feature(&devices)?;
    let [gpus, switches] = [Kind::Gpu, Kind::Switch].map(|kind| identifiers(&devices, kind));
    let is_whole = feature == Some(Feature::Ppcie) || !switches.is_empty();
    if is_whole {
        check_links(&devices, Kind::Gpu, &switches)?;
        check_links(&devices, Kind::Switch, &gpus)?;
    }
    Ok(TopologyClaims {
        gpus: gpus.len(),
        switches: switches.len(),
        feature,
        is_whole,
        nonce: first.nonce,
    })
}

fn check_unique(devices: &[&Device]) -> Result<(), NvidiaError> {
    let mut seen = BTreeSet::new();
    let doubled = devices.iter().find(|device| !seen.insert(device.pdi));
    doubled.map_or(Ok(()), |device| Err(NvidiaError::Doubled(device.pdi)))
}

fn check_nonce(devices: &[&Device], nonce: [u8; 32]) -> Result<(), NvidiaError> {
    let other = devices.iter().find(|device| device.nonce != nonce);
    other.map_or(Ok(()), |device| Err(NvidiaError::Nonces(device.pdi)))
}

fn common_feature(devices: &[&Device]) -> Result<Option<Feature>, NvidiaError> {
    let gpus = || devices.iter().filter(|device| device.kind() == Kind::Gpu);
    let Some(first) = gpus().next() else {
        return Err(NvidiaError::NoDevices);
    };
    let other = gpus().find(|gpu| gpu.feature != first.feature || gpu.chip != first.chip);
    other.map_or(Ok(first.feature), |gpu| Err(NvidiaError::Features(gpu.pdi)))
}

fn identifiers(devices: &[&Device], kind: Kind) -> BTreeSet<Pdi> {
    let of_kind = devices.iter().filter(|device| device.kind() == kind);
    of_kind.map(|device| device.pdi).collect()
}

/// Every device of `kind` must be linked to all of `others` and nothing else.
fn check_links(devices: &[&Device], kind: Kind, others: &BTreeSet<Pdi>) -> Result<(), NvidiaError> {
    for device in devices.iter().filter(|device| device.kind() == kind) {
        let links: BTreeSet<Pdi> = device.links.iter().copied().collect();
        if let Some(absent) = links.difference(others).next() {
            return Err(NvidiaError::Omitted {
                device: device.pdi,
                linked: *absent,
            });
        }
        if links.is_empty() || links != *others {
            return Err(NvidiaError::Unlinked(device.pdi));
        }
    }
    Ok(())
}
