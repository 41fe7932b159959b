//! The rules about NVIDIA devices: the whole of them, then each one.

mod device;
mod versions;

use crate::{
    Reason,
    gpu::{GpuRules, Topology},
};
use attestation::nvidia::{DeviceClaims, Kind, Pdi};

/// Every unmet rule of `[gpu]`, device by device. Devices that no table speaks of are denied.
pub(super) fn reasons(rules: Option<&GpuRules>, devices: &[DeviceClaims]) -> Vec<Reason> {
    let Some(rules) = rules else {
        return unjudged(devices).into_iter().collect();
    };
    let mut reasons = Vec::new();
    reasons.extend(count("gpu.count", rules.count, devices, Kind::Gpu));
    reasons.extend(count("gpu.switches", rules.switches, devices, Kind::Switch));
    reasons.extend(topology(rules, devices));
    for (index, claims) in devices.iter().enumerate() {
        reasons.extend(device::reasons(rules, index, &claims.device));
    }
    reasons
}

fn unjudged(devices: &[DeviceClaims]) -> Option<Reason> {
    (!devices.is_empty()).then(|| {
        Reason::new(
            "policy.gpu",
            "gpu",
            "no devices, or a table [gpu]",
            format!("{} devices", devices.len()),
        )
    })
}

fn of_kind(devices: &[DeviceClaims], kind: Kind) -> impl Iterator<Item = &DeviceClaims> {
    let is_of_kind = move |claims: &&DeviceClaims| claims.device.kind() == kind;
    devices.iter().filter(is_of_kind)
}

fn count(
    rule: &'static str,
    expected: usize,
    devices: &[DeviceClaims],
    kind: Kind,
) -> Option<Reason> {
    let actual = of_kind(devices, kind).count();
    (actual != expected).then(|| {
        let (expected, actual) = (expected.to_string(), actual.to_string());
        Reason::new("policy.gpu.count", rule, expected, actual)
    })
}

/// The links are signed by the devices at both ends.
fn topology(rules: &GpuRules, devices: &[DeviceClaims]) -> Option<Reason> {
    let is_whole = || {
        is_linked(devices, Kind::Gpu, Kind::Switch) && is_linked(devices, Kind::Switch, Kind::Gpu)
    };
    (rules.topology == Topology::Whole && !is_whole()).then(|| {
        Reason::new(
            "policy.gpu.topology",
            "gpu.topology",
            "every GPU linked to all switches given and to no other, and every switch to all GPUs given and to no other",
            "other links",
        )
    })
}

/// Whether there are devices of `kind`, and each is linked to all of `others` and to nothing else. Links name each device once.
fn is_linked(devices: &[DeviceClaims], kind: Kind, others: Kind) -> bool {
    let count = of_kind(devices, others).count();
    let is_all = |links: &[Pdi]| {
        let mut others = of_kind(devices, others);
        links.len() == count && others.all(|other| links.contains(&other.device.pdi))
    };
    let mut of_kind = of_kind(devices, kind).map(|claims| claims.device.links.as_slice());
    let Some(first) = of_kind.next() else {
        return false;
    };
    is_all(first) && of_kind.all(|links| links == first || is_all(links))
}
