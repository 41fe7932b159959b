//! An SPDM 1.1 GET_MEASUREMENTS request and its MEASUREMENTS response (DMTF DSP0274 1.1), as a Hopper GPU gives them.

use super::{Chip, Signer};
use crate::x509::Key;

/// Types of opaque fields.
pub mod opaque {
    /// DRIVER_VERSION.
    pub const DRIVER_VERSION: u16 = 3;
    /// VBIOS_VERSION.
    pub const VBIOS_VERSION: u16 = 6;
    /// NVDEC0_STATUS.
    pub const NVDEC0_STATUS: u16 = 11;
    /// CHIP_SKU.
    pub const CHIP_SKU: u16 = 15;
    /// PROJECT.
    pub const PROJECT: u16 = 17;
    /// PROJECT_SKU.
    pub const PROJECT_SKU: u16 = 18;
    /// FWID.
    pub const FWID: u16 = 20;
    /// SWITCH_PDI.
    pub const SWITCH_PDI: u16 = 22;
    /// SWITCH_GPU_PDIS.
    pub const SWITCH_GPU_PDIS: u16 = 26;
    /// OPAQUE_DATA_VERSION.
    pub const VERSION: u16 = 34;
    /// CHIP_INFO.
    pub const CHIP_INFO: u16 = 35;
    /// FEATURE_FLAG.
    pub const FEATURE_FLAG: u16 = 36;
}

/// Digest of the firmware that holds the attestation key.
pub(super) const FIRMWARE: [u8; 48] = [0xF5; 48];

/// Request and response before they are signed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Report {
    /// SPDMVersion, RequestResponseCode, Param1, Param2 of the request.
    pub request: [u8; 4],
    /// SlotIDParam of the request.
    pub slot: u8,
    /// The same of the response.
    pub response: [u8; 4],
    /// NumberOfBlocks; `None`: as many as there are.
    pub number_of_blocks: Option<u8>,
    /// Measurement blocks in their order.
    pub blocks: Vec<Block>,
    /// The responder's nonce.
    pub response_nonce: [u8; 32],
    /// Opaque fields in their order: type and value.
    pub opaque: Vec<(u16, Vec<u8>)>,
    /// Whose key signs.
    pub signer: Signer,
    /// What follows the signature.
    pub trailing: Vec<u8>,
}

/// A DMTF measurement block.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Block {
    /// From 1.
    pub index: u8,
    /// MeasurementSpecification.
    pub specification: u8,
    /// DMTFSpecMeasurementValueType.
    pub value_type: u8,
    /// The digest.
    pub value: Vec<u8>,
}

impl Report {
    /// Of a chip as it should be.
    pub(super) fn of(chip: Chip) -> Self {
        match chip {
            Chip::Gh100 => Self::of_gpu(),
            Chip::Ls10 => Self::of_switch(),
        }
    }

    /// 64 measurements of a GPU with driver 550.90.07 and VBIOS 96.00.9F.00.01.
    fn of_gpu() -> Self {
        Self {
            blocks: (0..64).map(Block::of).collect(),
            opaque: vec![
                (
                    opaque::VBIOS_VERSION,
                    vec![0x00, 0x9F, 0x00, 0x96, 0x01, 0, 0, 0],
                ),
                (opaque::CHIP_SKU, b"882\0\0\0".to_vec()),
                (opaque::PROJECT, b"1010\0".to_vec()),
                (opaque::PROJECT_SKU, b"0200\0".to_vec()),
                (opaque::DRIVER_VERSION, b"550.90.07\0".to_vec()),
                (opaque::NVDEC0_STATUS, vec![0xAA]),
                (opaque::FWID, FIRMWARE.to_vec()),
                (opaque::CHIP_INFO, b"GH100\0".to_vec()),
                (opaque::FEATURE_FLAG, vec![0, 0]),
            ],
            ..Self::empty()
        }
    }

    /// 31 measurements of a switch with firmware 96.10.55.00.01.
    fn of_switch() -> Self {
        Self {
            blocks: (0..31).map(Block::of).collect(),
            opaque: vec![
                (opaque::VBIOS_VERSION, b"96.10.55.00.01\0".to_vec()),
                (opaque::SWITCH_PDI, Chip::Ls10.pdi(0).to_vec()),
                (opaque::SWITCH_GPU_PDIS, vec![0; 128]),
            ],
            ..Self::empty()
        }
    }

    fn empty() -> Self {
        Self {
            request: [0x11, 0xE0, 1, 0xFF],
            slot: 0,
            response: [0x11, 0x60, 0, 0],
            number_of_blocks: None,
            blocks: Vec::new(),
            response_nonce: [0xB4; 32],
            opaque: Vec::new(),
            signer: Signer::Attestation,
            trailing: Vec::new(),
        }
    }

    /// The value of the opaque field `kind`, added empty where there is none.
    pub fn opaque(&mut self, kind: u16) -> &mut Vec<u8> {
        let at = self.opaque.iter().position(|(other, _)| *other == kind);
        let at = at.unwrap_or_else(|| {
            self.opaque.push((kind, Vec::new()));
            self.opaque.len() - 1
        });
        &mut self.opaque.get_mut(at).expect("found or added").1
    }

    /// The bytes that answer `nonce`, signed by `key`.
    pub(super) fn to_bytes(&self, nonce: &[u8; 32], key: &Key) -> Vec<u8> {
        let record: Vec<u8> = self.blocks.iter().flat_map(Block::to_bytes).collect();
        let fields: Vec<u8> = self.opaque.iter().flat_map(field).collect();
        let blocks = u8::try_from(self.blocks.len()).expect("at most 255 blocks");
        let [record_length @ .., _] = u32_le(record.len());
        let [opaque_length @ .., _, _] = u32_le(fields.len());
        let mut bytes = [
            &self.request[..],
            nonce,
            &[self.slot],
            &self.response,
            &[self.number_of_blocks.unwrap_or(blocks)],
            &record_length,
            &record,
            &self.response_nonce,
            &opaque_length,
            &fields,
        ]
        .concat();
        let signature = key.sign(&bytes);
        bytes.extend(signature);
        bytes.extend_from_slice(&self.trailing);
        bytes
    }
}

impl Block {
    /// What the firmware measures for `index`, which counts from 0.
    fn of(index: u8) -> Self {
        Self {
            index: index + 1,
            specification: 1,
            value_type: 1,
            value: measured(index).to_vec(),
        }
    }

    fn to_bytes(&self) -> Vec<u8> {
        let value_length = u16_le(self.value.len());
        let size = u16_le(self.value.len() + 3);
        let header = [self.index, self.specification];
        let kind = [self.value_type];
        [&header[..], &size, &kind, &value_length, &self.value].concat()
    }
}

/// What the firmware measures for `index`, which counts from 0.
pub(super) const fn measured(index: u8) -> [u8; 48] {
    [0x40 + index; 48]
}

fn field((kind, value): &(u16, Vec<u8>)) -> Vec<u8> {
    [&kind.to_le_bytes()[..], &u16_le(value.len()), value].concat()
}

fn u32_le(length: usize) -> [u8; 4] {
    u32::try_from(length).expect("short").to_le_bytes()
}

fn u16_le(length: usize) -> [u8; 2] {
    u16::try_from(length).expect("short").to_le_bytes()
}
