//! What a verified device's evidence says, and what it does not.

use super::{Device, RimClaims};
use crate::{Step, Window};

/// Claims of one verified device.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DeviceClaims {
    /// What its certificates and its report say.
    pub device: Device,
    /// What the driver's manifest says of it; `None` for a switch.
    pub driver_rim: Option<RimClaims>,
    /// What the firmware's manifest says of it; `None` only where the verdict is incomplete.
    pub vbios_rim: Option<RimClaims>,
    /// Manifests that were given and are for other firmware: `GH100 550.144.03`.
    pub unused_rims: Vec<String>,
    /// When all of it holds: certificates, manifests and revocation status.
    pub window: Window,
}

/// What no evidence of such devices proves, for those who might take it for granted.
pub const NOT_PROVED: [&str; 3] = [
    "the nonce says when the device answered, not which machine it is in: only CPU evidence that covers the devices' evidence says that",
    "whether confidential-compute mode is on is not signed: firmware that measures as it should hands keys to a guest only with it on",
    "whether developer tools are on is not signed: with them on, measurements differ from the manifests",
];

impl Device {
    /// What `step` found in evidence that passed all steps up to and including it, for people; empty where the title says it all.
    #[must_use]
    pub fn detail(&self, step: &Step) -> String {
        match step.id {
            "nvidia.chain.issuer" => "NVIDIA Device Identity CA".into(),
            "nvidia.chip.known" => format!("{} {} ({})", self.architecture, self.kind(), self.chip),
            "nvidia.serial" => format!("device {}", self.pdi),
            "nvidia.fwid" if self.fwid.is_none() => "not checked: the report names none".into(),
            "nvidia.signature" => "ECDSA P-384 over the bytes received".into(),
            "nvidia.report.complete" => versions(self),
            _ => String::new(),
        }
    }
}

impl DeviceClaims {
    /// What `step` found in evidence that passed all of them, for people; empty where the title says it all.
    #[must_use]
    pub fn detail(&self, step: &Step) -> String {
        match step.id {
            "nvidia.measurements.driver" => compared(self.driver_rim.as_ref()),
            "nvidia.measurements.vbios" => compared(self.vbios_rim.as_ref()),
            "nvidia.complete" => format!("holds until {}", self.window.not_after.to_rfc3339()),
            _ => self.device.detail(step),
        }
    }

    /// How many measurements are what a manifest allows.
    #[must_use]
    pub fn matched(&self) -> usize {
        let manifests = self.driver_rim.iter().chain(&self.vbios_rim);
        manifests.map(|rim| rim.matched).sum()
    }
}

fn compared(rim: Option<&RimClaims>) -> String {
    rim.map_or_else(String::new, |rim| {
        let total = rim.matched + rim.not_judged.len();
        format!("{} of {total} match {}", rim.matched, rim.version)
    })
}

fn versions(device: &Device) -> String {
    let driver = device.driver_version.as_ref();
    let driver = driver.map(|version| format!("driver {version}, "));
    let feature = device.feature.map(|feature| format!(", {feature}"));
    format!(
        "{}VBIOS {}{}",
        driver.unwrap_or_default(),
        device.vbios_version,
        feature.unwrap_or_default()
    )
}
