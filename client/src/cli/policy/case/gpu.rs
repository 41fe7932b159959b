//! `[[claims.devices]]`: a GPU or a switch as a case writes it.

use super::hex_bytes::HexBytes;
use attestation::{
    UnixTime, Window,
    nvidia::{Architecture, Device, DeviceClaims, Feature, Pdi},
};
use serde::Deserialize;

/// One device.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct DeviceForm {
    /// The identifier that the inventory lists it by.
    id: HexBytes<8>,
    architecture: ArchitectureForm,
    /// A switch has none.
    driver: Option<String>,
    vbios: String,
    /// Absent: the device does not tell.
    mode: Option<ModeForm>,
    /// The devices at the other ends of its links; absent: a GPU's all switches of the case, a switch's all GPUs.
    links: Option<Vec<HexBytes<8>>>,
}

#[derive(Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
enum ArchitectureForm {
    Hopper,
    Blackwell,
    Ls10,
}

#[derive(Clone, Copy, Deserialize)]
#[serde(rename_all = "lowercase")]
enum ModeForm {
    Spt,
    Mpt,
    Ppcie,
}

impl DeviceForm {
    pub(super) fn is_switch(&self) -> bool {
        self.architecture == ArchitectureForm::Ls10
    }

    pub(super) fn feature(&self) -> Option<Feature> {
        self.mode.map(|mode| match mode {
            ModeForm::Spt => Feature::Spt,
            ModeForm::Mpt => Feature::Mpt,
            ModeForm::Ppcie => Feature::Ppcie,
        })
    }

    /// `all`: the devices of the case.
    pub(super) fn claims(&self, all: &[Self], not_after: UnixTime) -> DeviceClaims {
        let window = Window {
            not_before: UnixTime(0),
            not_after,
        };
        DeviceClaims {
            device: Device {
                links: self.links(all),
                ..self.device(window)
            },
            driver_rim: None,
            vbios_rim: None,
            unused_rims: Vec::new(),
            window,
        }
    }

    fn links(&self, all: &[Self]) -> Vec<Pdi> {
        match &self.links {
            Some(links) => links.iter().map(|id| Pdi(id.0)).collect(),
            None => {
                let others = all
                    .iter()
                    .filter(|other| other.is_switch() != self.is_switch());
                others.map(|other| Pdi(other.id.0)).collect()
            }
        }
    }

    fn device(&self, window: Window) -> Device {
        let (architecture, chip) = match self.architecture {
            ArchitectureForm::Hopper => (Architecture::Hopper, "GH100"),
            ArchitectureForm::Blackwell => (Architecture::Blackwell, "GB100"),
            ArchitectureForm::Ls10 => (Architecture::Ls10, "LS10"),
        };
        Device {
            architecture,
            chip: chip.to_owned(),
            pdi: Pdi(self.id.0),
            serial_number: Vec::new(),
            driver_version: self.driver.clone(),
            vbios_version: self.vbios.clone(),
            project: None,
            project_sku: None,
            chip_sku: None,
            feature: self.feature(),
            fwid: None,
            nvdec0: None,
            links: Vec::new(),
            position_id: None,
            lock_status: None,
            nonce: [0; 32],
            opaque: Vec::new(),
            window,
        }
    }
}
