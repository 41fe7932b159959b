//! OVMF images of our own making, every part of which a test can spoil.

use std::iter;

pub(crate) const SEV_METADATA: &str = "dc886566-984a-4798-a75e-5585a7bf67cc";
pub(crate) const SEV_ES_RESET_BLOCK: &str = "00f771de-1a7e-4fcb-890e-68c77e2fb44e";
pub(crate) const SEV_HASH_TABLE: &str = "7255371f-3a3b-4b04-927b-1da6efa8d454";
const TABLE_FOOTER: &str = "96b582de-1fb2-45f7-baea-a366c55a082d";

/// Where the metadata begins, before the image's end.
const METADATA_OFFSET: u32 = 0x800;

/// The parts of an image.
#[derive(Clone, Debug)]
pub(crate) struct Ovmf {
    pub(crate) pages: usize,
    pub(crate) fill: u8,
    /// Of the table, from its end to its start.
    pub(crate) entries: Vec<(&'static str, Vec<u8>)>,
    pub(crate) metadata: Metadata,
}

/// SEV metadata.
#[derive(Clone, Debug)]
pub(crate) struct Metadata {
    pub(crate) signature: [u8; 4],
    pub(crate) length: Option<u32>,
    pub(crate) version: u32,
    pub(crate) count: Option<u32>,
    /// Address, length, type.
    pub(crate) sections: Vec<[u32; 3]>,
}

impl Ovmf {
    /// One of each section, a reset block and a table for a kernel's hashes.
    pub(crate) fn sound() -> Self {
        Self {
            pages: 3,
            fill: 0x5a,
            entries: vec![
                (SEV_ES_RESET_BLOCK, 0x0080_b004_u32.to_le_bytes().to_vec()),
                (SEV_HASH_TABLE, words(&[0x81_0c00, 0x400])),
                (SEV_METADATA, words(&[METADATA_OFFSET])),
            ],
            metadata: Metadata {
                signature: *b"ASEV",
                length: None,
                version: 1,
                count: None,
                sections: vec![
                    [0x80_0000, 0x9000, 1],
                    [0x80_d000, 0x1000, 2],
                    [0x80_e000, 0x1000, 3],
                    [0x80_f000, 0x1000, 4],
                    [0x81_0000, 0x1000, 0x10],
                ],
            },
        }
    }

    pub(crate) fn without(mut self, guid: &str) -> Self {
        self.entries.retain(|(entry, _)| *entry != guid);
        self
    }

    pub(crate) fn with(self, guid: &'static str, data: Vec<u8>) -> Self {
        let mut changed = self.without(guid);
        changed.entries.push((guid, data));
        changed
    }

    pub(crate) fn with_sections(mut self, sections: &[[u32; 3]]) -> Self {
        self.metadata.sections = sections.to_vec();
        self
    }

    pub(crate) fn build(&self) -> Vec<u8> {
        let mut image: Vec<u8> = iter::successors(Some(self.fill), |byte| {
            Some(byte.wrapping_mul(5).wrapping_add(3))
        })
        .take(self.pages * 4096)
        .collect();
        let table = self.table();
        let end = image.len() - 32;
        image[end - table.len()..end].copy_from_slice(&table);
        let metadata = self.metadata.bytes();
        let start = image.len() - METADATA_OFFSET as usize;
        image[start..start + metadata.len()].copy_from_slice(&metadata);
        image
    }

    fn table(&self) -> Vec<u8> {
        let entry = |(guid, data): &(&str, Vec<u8>)| {
            let length = u16::try_from(data.len() + 18).unwrap();
            [data.as_slice(), &length.to_le_bytes(), &guid_bytes(guid)].concat()
        };
        let entries: Vec<u8> = self.entries.iter().rev().flat_map(entry).collect();
        let length = u16::try_from(entries.len() + 18).unwrap();
        let footer = guid_bytes(TABLE_FOOTER);
        [entries.as_slice(), &length.to_le_bytes(), &footer].concat()
    }
}

impl Metadata {
    fn bytes(&self) -> Vec<u8> {
        let count = u32::try_from(self.sections.len()).unwrap();
        let header = words(&[
            self.length.unwrap_or(16 + 12 * count),
            self.version,
            self.count.unwrap_or(count),
        ]);
        let sections = words(&self.sections.concat());
        [self.signature.as_slice(), &header, &sections].concat()
    }
}

pub(crate) fn words(words: &[u32]) -> Vec<u8> {
    words.iter().flat_map(|word| word.to_le_bytes()).collect()
}

/// The text form's first three fields are little-endian in memory.
fn guid_bytes(text: &str) -> [u8; 16] {
    let mut bytes: [u8; 16] = hex::decode(text.replace('-', ""))
        .unwrap()
        .try_into()
        .unwrap();
    bytes[..4].reverse();
    bytes[4..6].reverse();
    bytes[6..8].reverse();
    bytes
}
