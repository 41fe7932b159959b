//! The rules that each device is judged by.

use super::{
    super::{listed, told},
    versions,
};
use crate::{
    AllowList, Reason,
    gpu::{ARCHITECTURES, GpuRules, MODES},
    snp::name_of,
};
use attestation::nvidia::{Device, Kind};

/// Every unmet rule for the device that stands at `index` in the evidence.
pub(super) fn reasons(rules: &GpuRules, index: usize, device: &Device) -> Vec<Reason> {
    let mut reasons = Vec::new();
    if device.kind() == Kind::Gpu {
        reasons.extend(architecture(rules, index, device));
        reasons.extend(chip(rules, index, device));
        reasons.extend(board(rules, index, device));
        reasons.extend(mode(rules, index, device));
        reasons.extend(versions::driver(&rules.drivers, index, device));
    }
    reasons.extend(versions::vbios(&rules.vbios, index, device));
    reasons
}

fn architecture(rules: &GpuRules, index: usize, device: &Device) -> Option<Reason> {
    let name = |one| name_of(&ARCHITECTURES, one).to_owned();
    let actual = &device.architecture;
    (!rules.architectures.contains(actual)).then(|| {
        Reason::new(
            "policy.gpu.architecture",
            "gpu.architectures",
            listed(rules.architectures.iter().map(name)),
            of_device(&name(actual), index),
        )
    })
}

fn chip(rules: &GpuRules, index: usize, device: &Device) -> Option<Reason> {
    let accepted = rules.chips.as_ref()?;
    (!has_text(accepted, &device.chip)).then(|| {
        Reason::new(
            "policy.gpu.chip",
            "gpu.chips",
            listed(accepted.iter().map(|chip| told(chip))),
            of_device(&told(&device.chip), index),
        )
    })
}

fn board(rules: &GpuRules, index: usize, device: &Device) -> Option<Reason> {
    let accepted = rules.boards.as_ref()?;
    let is_accepted = accepted.iter().any(|board| board.is_of(device));
    (!is_accepted).then(|| {
        let parts = [&device.project, &device.project_sku, &device.chip_sku];
        let parts = parts.map(|part| part.as_deref().unwrap_or("?"));
        Reason::new(
            "policy.gpu.board",
            "gpu.boards",
            listed(accepted.iter().map(|board| told(board.as_str()))),
            of_device(&told(&parts.join("_")), index),
        )
    })
}

/// A GPU that does not tell its mode has none that could be accepted.
fn mode(rules: &GpuRules, index: usize, device: &Device) -> Option<Reason> {
    let name = |one| name_of(&MODES, one).to_owned();
    let actual = device.feature.as_ref();
    let is_accepted = actual.is_some_and(|mode| rules.modes.contains(mode));
    (!is_accepted).then(|| {
        Reason::new(
            "policy.gpu.mode",
            "gpu.modes",
            listed(rules.modes.iter().map(name)),
            of_device(&actual.map_or_else(|| "none".to_owned(), name), index),
        )
    })
}

/// Texts are compared without regard to case: reports and manifests differ in it.
pub(super) fn has_text(accepted: &AllowList<String>, actual: &str) -> bool {
    accepted.iter().any(|one| one.eq_ignore_ascii_case(actual))
}

/// What a reason says that the device has.
pub(super) fn of_device(actual: &str, index: usize) -> String {
    format!("{actual} of device {index}")
}
