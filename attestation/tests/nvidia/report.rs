//! SPDM reports of which every field can be set before they are signed.

use tee_sim::x509::Key;

/// Request and response before they are encoded.
#[derive(Clone)]
pub(crate) struct Report {
    /// SPDMVersion, RequestResponseCode, Param1, Param2.
    pub(crate) request: [u8; 4],
    pub(crate) nonce: [u8; 32],
    pub(crate) slot: u8,
    pub(crate) response: [u8; 4],
    /// `None`: as many as there are.
    pub(crate) number_of_blocks: Option<u8>,
    pub(crate) blocks: Vec<Block>,
    pub(crate) opaque: Vec<(u16, Vec<u8>)>,
}

/// One measurement block.
#[derive(Clone)]
pub(crate) struct Block {
    pub(crate) index: u8,
    pub(crate) specification: u8,
    pub(crate) value_type: u8,
    pub(crate) value: Vec<u8>,
    /// Bytes between the value and the end of the block.
    pub(crate) rest: Vec<u8>,
}

impl Report {
    /// A Hopper GPU's: block `i` has the digest `i` `i` `i`...
    pub(crate) fn of_gpu() -> Self {
        Self {
            request: [0x11, 0xE0, 0x01, 0xFF],
            nonce: [0x4E; 32],
            slot: 0,
            response: [0x11, 0x60, 0, 0],
            number_of_blocks: None,
            blocks: (1..=64).map(Block::digest).collect(),
            opaque: vec![
                (6, vec![0x00, 0x9F, 0x00, 0x96, 0x01, 0, 0, 0]),
                (15, b"882\0\0\0\0\0\0".to_vec()),
                (17, b"1010\0".to_vec()),
                (18, b"0200\0".to_vec()),
                (3, b"550.90.07\0".to_vec()),
                (11, vec![0xAA]),
                (20, vec![0xF1; 48]),
                (35, b"GH100\0".to_vec()),
                (36, vec![0, 0]),
            ],
        }
    }

    /// A switch's, linked to `gpus`.
    pub(crate) fn of_switch(pdi: [u8; 8], gpus: &[[u8; 8]]) -> Self {
        let mut ports = gpus.concat();
        ports.resize(64, 0);
        ports.resize(128, 0xFF);
        Self {
            blocks: (1..=31).map(Block::digest).collect(),
            opaque: vec![
                (6, b"96.10.55.00.01".to_vec()),
                (22, pdi.to_vec()),
                (26, ports),
                (24, vec![2, 0]),
                (25, vec![1, 0]),
            ],
            ..Self::of_gpu()
        }
    }

    /// The value of the opaque field `kind`, added empty where there is none.
    pub(crate) fn field(&mut self, kind: u16) -> &mut Vec<u8> {
        if !self.opaque.iter().any(|(other, _)| *other == kind) {
            self.opaque.push((kind, Vec::new()));
        }
        let mut fields = self.opaque.iter_mut();
        &mut fields.find(|(other, _)| *other == kind).unwrap().1
    }

    pub(crate) fn without(&mut self, kind: u16) {
        self.opaque.retain(|(other, _)| *other != kind);
    }

    /// Says that the GPU is in protected PCIe, linked to `switches`.
    pub(crate) fn in_protected_pcie(&mut self, switches: &[[u8; 8]]) {
        *self.field(36) = vec![2, 0];
        let reversed = switches.iter().flat_map(|pdi| pdi.iter().rev());
        *self.field(22) = reversed.copied().collect();
    }

    pub(crate) fn signed_by(&self, key: &Key) -> Vec<u8> {
        let blocks: Vec<u8> = self.blocks.iter().flat_map(Block::encode).collect();
        let field = |(kind, value): &(u16, Vec<u8>)| {
            let length = value.len() as u16;
            [&kind.to_le_bytes()[..], &length.to_le_bytes(), value].concat()
        };
        let opaque: Vec<u8> = self.opaque.iter().flat_map(field).collect();
        let number = self.number_of_blocks.unwrap_or(self.blocks.len() as u8);
        let to_be_signed = [
            &self.request[..],
            &self.nonce,
            &[self.slot],
            &self.response,
            &[number],
            &(blocks.len() as u32).to_le_bytes()[..3],
            &blocks,
            &[0x5A; 32],
            &(opaque.len() as u16).to_le_bytes(),
            &opaque,
        ]
        .concat();
        let signature = key.sign(&to_be_signed);
        [to_be_signed, signature].concat()
    }
}

impl Block {
    fn digest(index: u8) -> Self {
        Self {
            index,
            specification: 1,
            value_type: 1,
            value: vec![index; 48],
            rest: Vec::new(),
        }
    }

    fn encode(&self) -> Vec<u8> {
        let size = (3 + self.value.len() + self.rest.len()) as u16;
        let value_size = self.value.len() as u16;
        [
            &[self.index, self.specification][..],
            &size.to_le_bytes(),
            &[self.value_type],
            &value_size.to_le_bytes(),
            &self.value,
            &self.rest,
        ]
        .concat()
    }
}
