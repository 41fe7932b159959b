//! The table of hashes by which OVMF knows a kernel that is started directly (QEMU's `kernel-hashes=on`).

use super::super::{
    firmware::{Guid, guid},
    page::page_of,
};
use crate::{Digest, crypto};

const TABLE: Guid = guid(
    0x9438_d606,
    0x4f22,
    0x4cc9,
    [0xb4, 0x79, 0xa7, 0x93, 0xd4, 0x11, 0xfd, 0x21],
);
const COMMAND_LINE: Guid = guid(
    0x97d0_2dd8,
    0xbd20,
    0x4c94,
    [0xaa, 0x78, 0xe7, 0x71, 0x4d, 0x36, 0xab, 0x2a],
);
const INITRD: Guid = guid(
    0x44ba_f731,
    0x3a2f,
    0x4bd7,
    [0x9a, 0xf1, 0x41, 0xe2, 0x91, 0x69, 0x78, 0x1d],
);
const KERNEL: Guid = guid(
    0x4de7_9437,
    0xabd2,
    0x427f,
    [0xb8, 0x35, 0xd5, 0xb1, 0x72, 0xd2, 0x04, 0x5b],
);

/// GUID, length (u16), SHA-256.
const ENTRY_BYTES: u16 = 50;
/// GUID, length (u16), three entries.
const TABLE_BYTES: u16 = 168;
/// The table with its padding to 16 bytes.
pub(super) const HASH_TABLE_BYTES: usize = 176;

/// What is started directly, by its SHA-256 digests.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct BootDigests {
    /// Of the kernel's file.
    pub kernel: Digest,
    /// Of the initrd's file; of nothing if there is none.
    pub initrd: Digest,
    /// Of the command line, exactly as given to QEMU, with a zero byte after it.
    pub command_line: Digest,
}

impl BootDigests {
    /// The digests of these files and this command line.
    #[must_use]
    pub fn of(kernel: &[u8], initrd: &[u8], command_line: &str) -> Self {
        Self {
            kernel: crypto::sha256(kernel),
            initrd: crypto::sha256(initrd),
            command_line: Self::command_line(command_line),
        }
    }

    /// The digest of this command line.
    #[must_use]
    pub fn command_line(command_line: &str) -> Digest {
        crypto::sha256(&[command_line.as_bytes(), &[0]].concat())
    }

    /// The page in which the table begins at `offset`.
    pub(super) fn page(&self, offset: usize) -> Vec<u8> {
        page_of(&[(offset, &self.table())])
    }

    fn table(&self) -> Vec<u8> {
        [
            TABLE.as_slice(),
            &TABLE_BYTES.to_le_bytes(),
            &entry(&COMMAND_LINE, &self.command_line),
            &entry(&INITRD, &self.initrd),
            &entry(&KERNEL, &self.kernel),
        ]
        .concat()
    }
}

fn entry(guid: &Guid, digest: &Digest) -> Vec<u8> {
    [guid.as_slice(), &ENTRY_BYTES.to_le_bytes(), digest].concat()
}
