//! The claims of NVIDIA devices, for people and programs, and what their evidence does not prove.

use crate::Check;
use attestation::nvidia::{
    Device, DeviceClaims, Kind, MachineClaims, NOT_PROVED, topology::TopologyClaims,
};
use serde_json::{Value, json};

/// What decides nothing and should not be taken for granted.
pub(super) fn remarks() -> Vec<Check> {
    NOT_PROVED
        .iter()
        .map(|text| Check::info("nvidia.not_proved", "not in the evidence").detail(*text))
        .collect()
}

/// Manifests that were given for nothing.
pub(super) fn unused(claims: &DeviceClaims) -> Vec<Check> {
    let unused = claims.unused_rims.iter();
    unused
        .map(|firmware| {
            Check::info("nvidia.rim.unused", "a manifest is for other firmware").detail(firmware)
        })
        .collect()
}

/// One line per device, and one for all of them.
pub(super) fn devices(devices: &[Device], topology: Option<&TopologyClaims>) -> Vec<Check> {
    let mut checks: Vec<Check> = devices
        .iter()
        .enumerate()
        .map(|(index, device)| {
            Check::info("nvidia.device", "authentic").detail(format!("{index}: {}", line(device)))
        })
        .collect();
    checks.extend(topology.map(|topology| {
        Check::info("nvidia.topology", "together").detail(format!(
            "{} GPUs, {} switches, {}",
            topology.gpus,
            topology.switches,
            wholeness(topology)
        ))
    }));
    checks
}

fn line(device: &Device) -> String {
    let driver = device.driver_version.as_deref();
    let driver = driver.map_or_else(String::new, |version| format!(", driver {version}"));
    format!(
        "{} {} {}{driver}, VBIOS {}",
        device.chip,
        device.kind(),
        device.pdi,
        device.vbios_version
    )
}

const fn wholeness(topology: &TopologyClaims) -> &'static str {
    if topology.is_whole {
        "none left out"
    } else {
        "whether one was left out is not in the evidence"
    }
}

/// The claims of a machine as JSON.
pub(super) fn machine(claims: &MachineClaims) -> Value {
    let devices: Vec<_> = claims.devices.iter().map(document).collect();
    let topology = &claims.topology;
    json!({
        "devices": devices,
        "topology": {
            "gpus": topology.gpus,
            "switches": topology.switches,
            "feature": topology.feature.map(|feature| feature.to_string()),
            "is_whole": topology.is_whole,
            "nonce": hex::encode(topology.nonce),
        },
    })
}

/// The claims of a device as JSON; bytes in hexadecimal.
pub(super) fn document(claims: &DeviceClaims) -> Value {
    let device = &claims.device;
    let links: Vec<_> = device.links.iter().map(ToString::to_string).collect();
    json!({
        "kind": match device.kind() { Kind::Gpu => "gpu", Kind::Switch => "switch" },
        "architecture": device.architecture.to_string(),
        "chip": device.chip,
        "pdi": device.pdi.to_string(),
        "serial_number": hex::encode(&device.serial_number),
        "driver_version": device.driver_version,
        "vbios_version": device.vbios_version,
        "project": device.project,
        "project_sku": device.project_sku,
        "chip_sku": device.chip_sku,
        "feature": device.feature.map(|feature| feature.to_string()),
        "fwid": device.fwid.map(hex::encode),
        "links": links,
        "nonce": hex::encode(device.nonce),
        "measurements_matched": claims.matched(),
        "not_proved": NOT_PROVED,
        "not_after": claims.window.not_after.to_rfc3339(),
    })
}
