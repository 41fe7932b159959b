//! What a verified device's evidence says, and what it does not.

use super::Device;
use crate::{Step, Window};

/// Claims of one verified device.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DeviceClaims {
    /// What its certificates and its report say.
    pub device: Device,
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
        self.device.detail(step)
    }
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
