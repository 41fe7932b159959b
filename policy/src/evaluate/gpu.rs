//! The rules about NVIDIA devices: the whole of them, then each one.

use super::{listed, told};
use crate::{
    AllowList, Reason,
    gpu::{ARCHITECTURES, GpuRules, MODES},
    snp::name_of,
};
use attestation::nvidia::{DeviceClaims, Kind};

/// Every unmet rule of `[gpu]`, device by device. Devices that no table speaks of are denied.
pub(super) fn reasons(rules: Option<&GpuRules>, devices: &[DeviceClaims]) -> Vec<Reason> {
    let Some(rules) = rules else {
        return unjudged(devices).into_iter().collect();
    };
    let mut reasons = Vec::new();
    reasons.extend(count(rules.count, devices, Kind::Gpu));
    reasons.extend(count(rules.switches, devices, Kind::Switch));
    for (index, claims) in devices.iter().enumerate() {
        reasons.extend(device(rules, index, claims));
    }
    reasons
}

fn unjudged(devices: &[DeviceClaims]) -> Option<Reason> {
    (!devices.is_empty()).then(|| Reason {
        at: None,
        advisory: None,
        code: "policy.gpu",
        rule: "gpu".to_owned(),
        expected: "no devices, or a table [gpu]".to_owned(),
        actual: format!("{} devices", devices.len()),
    })
}

fn count(expected: usize, devices: &[DeviceClaims], kind: Kind) -> Option<Reason> {
    let of_kind = |claims: &&DeviceClaims| claims.device.kind() == kind;
    let actual = devices.iter().filter(of_kind).count();
    let rule = match kind {
        Kind::Gpu => "gpu.count",
        Kind::Switch => "gpu.switches",
    };
    (actual != expected).then(|| Reason {
        at: None,
        advisory: None,
        code: "policy.gpu.count",
        rule: rule.to_owned(),
        expected: expected.to_string(),
        actual: actual.to_string(),
    })
}

fn device(rules: &GpuRules, index: usize, claims: &DeviceClaims) -> Vec<Reason> {
    let mut reasons = Vec::new();
    if claims.device.kind() == Kind::Gpu {
        reasons.extend(architecture(rules, index, claims));
        reasons.extend(mode(rules, index, claims));
        let driver = claims.device.driver_version.as_deref();
        reasons.extend(version("drivers", &rules.drivers, index, driver));
    }
    let vbios = Some(claims.device.vbios_version.as_str());
    reasons.extend(version("vbios", &rules.vbios, index, vbios));
    reasons
}

fn architecture(rules: &GpuRules, index: usize, claims: &DeviceClaims) -> Option<Reason> {
    let name = |one| name_of(&ARCHITECTURES, one).to_owned();
    let actual = &claims.device.architecture;
    (!rules.architectures.contains(actual)).then(|| Reason {
        at: None,
        advisory: None,
        code: "policy.gpu.architecture",
        rule: "gpu.architectures".to_owned(),
        expected: listed(rules.architectures.iter().map(name)),
        actual: format!("{} of device {index}", name(actual)),
    })
}

/// A GPU that does not tell its mode has none that could be accepted.
fn mode(rules: &GpuRules, index: usize, claims: &DeviceClaims) -> Option<Reason> {
    let name = |one| name_of(&MODES, one).to_owned();
    let actual = claims.device.feature.as_ref();
    let is_accepted = actual.is_some_and(|mode| rules.modes.contains(mode));
    (!is_accepted).then(|| Reason {
        at: None,
        advisory: None,
        code: "policy.gpu.mode",
        rule: "gpu.modes".to_owned(),
        expected: listed(rules.modes.iter().map(name)),
        actual: format!("{} of device {index}", actual.map_or("none".into(), name)),
    })
}

/// Versions are compared without regard to case: reports and manifests differ in it.
fn version(
    field: &'static str,
    accepted: &AllowList<String>,
    index: usize,
    actual: Option<&str>,
) -> Option<Reason> {
    let same = |one: &String| actual.is_some_and(|actual| one.eq_ignore_ascii_case(actual));
    (!accepted.iter().any(same)).then(|| Reason {
        at: None,
        advisory: None,
        code: match field {
            "drivers" => "policy.gpu.driver",
            _ => "policy.gpu.vbios",
        },
        rule: format!("gpu.{field}"),
        expected: listed(accepted.iter().map(|one| told(one))),
        actual: format!("{} of device {index}", told(actual.unwrap_or("none"))),
    })
}
