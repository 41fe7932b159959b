//! What a device says of itself, under its signature and its certificates.

use crate::Window;
use std::fmt;

/// What stands in the device's certificates and in its signed report.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Device {
    /// Generation, by the chip's name.
    pub architecture: Architecture,
    /// The chip, as reference manifests name it: `GH100`, `GB100`, `LS10`.
    pub chip: String,
    /// The device's own identifier: the low 8 bytes of the serial number of the certificate that its ROM holds.
    pub pdi: Pdi,
    /// Serial number of the ROM's certificate (the second of the chain), big-endian.
    pub serial_number: Vec<u8>,
    /// Driver that the GPU was brought up by; a switch has none.
    pub driver_version: Option<String>,
    /// `96.00.9F.00.01`.
    pub vbios_version: String,
    /// Board: PROJECT.
    pub project: Option<String>,
    /// Board: PROJECT_SKU.
    pub project_sku: Option<String>,
    /// CHIP_SKU.
    pub chip_sku: Option<String>,
    /// What the GPU is set up for; `None` for switches and firmware that does not tell.
    pub feature: Option<Feature>,
    /// Digest of the firmware that holds the attestation key; `None` where the report has none to compare with the certificate's.
    pub fwid: Option<[u8; 48]>,
    /// Status of the GPU's first video decoder.
    pub nvdec0: Option<Nvdec0>,
    /// The devices at the other ends of its links, each once: switches for a GPU, GPUs for a switch.
    pub links: Vec<Pdi>,
    /// Which of the machine's switches this is (POSITION_ID).
    pub position_id: Option<u16>,
    /// LOCK_SWITCH_STATUS of a switch, as it is.
    pub lock_status: Option<u16>,
    /// The nonce that the report answers.
    pub nonce: [u8; 32],
    /// Every field of the report's opaque data as received, by type.
    pub opaque: Vec<(u16, Vec<u8>)>,
    /// When the certificates are valid.
    pub window: Window,
}

/// What a device is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Kind {
    /// A GPU.
    Gpu,
    /// A switch between GPUs.
    Switch,
}

/// Generations that this build knows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Architecture {
    /// GH100.
    Hopper,
    /// GB1xx and GB2xx.
    Blackwell,
    /// The NVSwitch of Hopper machines.
    Ls10,
}

/// FEATURE_FLAG: how GPUs are handed to one confidential guest.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Feature {
    /// Single GPU passthrough.
    Spt,
    /// Multi-GPU passthrough, links encrypted.
    Mpt,
    /// Protected PCIe: all GPUs and switches of a machine, links trusted.
    Ppcie,
}

/// NVDEC0_STATUS.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Nvdec0 {
    /// AAh.
    Enabled,
    /// 55h: measurement 35 of the driver's manifest is not to be compared.
    Disabled,
}

/// A device's identifier ("per-device identifier"), 8 bytes, as its certificate has it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Pdi(pub [u8; 8]);

impl Device {
    /// What the device is.
    #[must_use]
    pub const fn kind(&self) -> Kind {
        self.architecture.kind()
    }

    /// Name of the driver's manifest in NVIDIA's service; `None` for a switch.
    #[must_use]
    pub fn driver_rim_name(&self) -> Option<String> {
        let version = self.driver_version.as_ref()?;
        Some(format!("NV_GPU_DRIVER_{}_{version}", self.chip))
    }

    /// Name of the firmware's manifest in NVIDIA's service.
    #[must_use]
    pub fn vbios_rim_name(&self) -> String {
        let version = self.vbios_version.replace('.', "");
        match self.kind() {
            Kind::Switch => format!("NV_SWITCH_BIOS_5612_0002_890_{version}"),
            Kind::Gpu => {
                let part = |part: &Option<String>| part.as_deref().unwrap_or("?").to_uppercase();
                let board = [&self.project, &self.project_sku, &self.chip_sku].map(part);
                format!("NV_GPU_VBIOS_{}_{version}", board.join("_"))
            }
        }
    }
}

impl Architecture {
    /// By the chip's name as manifests have it.
    pub(super) fn of_chip(chip: &str) -> Option<Self> {
        match chip.as_bytes() {
            b"GH100" => Some(Self::Hopper),
            b"LS10" => Some(Self::Ls10),
            [b'G', b'B', b'1' | b'2', ten, one]
                if [ten, one].iter().all(|d| d.is_ascii_digit()) =>
            {
                Some(Self::Blackwell)
            }
            _ => None,
        }
    }

    /// What such a device is.
    #[must_use]
    pub const fn kind(self) -> Kind {
        match self {
            Self::Hopper | Self::Blackwell => Kind::Gpu,
            Self::Ls10 => Kind::Switch,
        }
    }
}

impl Pdi {
    /// Low 8 bytes of `serial_number`; `None` if it is shorter, or they are all zero: that names nothing.
    pub(super) fn of_serial_number(serial_number: &[u8]) -> Option<Self> {
        let pdi = Self(*serial_number.last_chunk()?);
        pdi.names_a_device().then_some(pdi)
    }

    /// As a GPU writes the switches that it is linked to: least significant byte first.
    pub(super) fn reversed(self) -> Self {
        let Self(mut bytes) = self;
        bytes.reverse();
        Self(bytes)
    }

    /// Whether any bit is set.
    pub(super) fn names_a_device(self) -> bool {
        self.0 != [0; 8]
    }
}

impl fmt::Display for Pdi {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0
            .iter()
            .try_for_each(|byte| write!(formatter, "{byte:02x}"))
    }
}

impl fmt::Display for Kind {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(match self {
            Self::Gpu => "GPU",
            Self::Switch => "switch",
        })
    }
}

impl fmt::Display for Architecture {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(match self {
            Self::Hopper => "Hopper",
            Self::Blackwell => "Blackwell",
            Self::Ls10 => "LS10",
        })
    }
}

impl fmt::Display for Feature {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(match self {
            Self::Spt => "SPT",
            Self::Mpt => "MPT",
            Self::Ppcie => "PPCIE",
        })
    }
}
