//! What names a piece of hardware in evidence.

use attestation::{CpuClaims, NodeClaims, nvidia::DeviceClaims};
use std::fmt;

/// A chip, package or device, by the identifier that its evidence proves.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum HardwareId {
    /// CHIP_ID of an SNP report, 64 bytes.
    SnpChip([u8; 64]),
    /// PPID of a PCK certificate, 16 bytes.
    TdxPackage([u8; 16]),
    /// Per-device identifier of an NVIDIA GPU or switch, 8 bytes.
    NvidiaDevice([u8; 8]),
}

impl HardwareId {
    /// `snp:`, `tdx:` or `nvidia:` and the identifier in hexadecimal.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        let (kind, hex) = text.split_once(':')?;
        match kind {
            "snp" => bytes(hex).filter(|id| *id != [0; 64]).map(Self::SnpChip),
            "tdx" => bytes(hex).filter(|id| *id != [0; 16]).map(Self::TdxPackage),
            "nvidia" => bytes(hex)
                .filter(|id| *id != [0; 8])
                .map(Self::NvidiaDevice),
            _ => None,
        }
    }

    /// That of the CPU; `None` where the platform masks it.
    #[must_use]
    pub fn of_cpu(claims: &NodeClaims) -> Option<Self> {
        match &claims.cpu {
            CpuClaims::Snp(claims) => claims.chip_id.map(Self::SnpChip),
            CpuClaims::Tdx(claims) => Some(Self::TdxPackage(claims.platform.ppid)),
            _ => None,
        }
    }

    /// That of a GPU or switch.
    #[must_use]
    pub const fn of_device(claims: &DeviceClaims) -> Self {
        Self::NvidiaDevice(claims.device.pdi.0)
    }

    /// Those of the CPU and of every device, as far as the evidence tells them.
    pub fn of_node(claims: &NodeClaims) -> impl Iterator<Item = Self> + '_ {
        let devices = claims.devices.iter().flat_map(|machine| &machine.devices);
        let cpu = Self::of_cpu(claims).into_iter();
        cpu.chain(devices.map(Self::of_device))
    }
}

fn bytes<const N: usize>(hex: &str) -> Option<[u8; N]> {
    let mut bytes = [0; N];
    hex::decode_to_slice(hex, &mut bytes).ok().map(|()| bytes)
}

impl fmt::Display for HardwareId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::SnpChip(id) => write!(f, "snp:{}", hex::encode(id)),
            Self::TdxPackage(id) => write!(f, "tdx:{}", hex::encode(id)),
            Self::NvidiaDevice(id) => write!(f, "nvidia:{}", hex::encode(id)),
        }
    }
}
