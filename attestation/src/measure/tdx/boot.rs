//! RTMR1 and RTMR2 of a TD whose TDVF (edk2 with TdTcg2Dxe) is given a kernel by QEMU.

use super::rtmr;
use crate::crypto;

type Digest384 = [u8; 48];

/// What edk2 measures besides the kernel, in order (TCG PC Client Platform Firmware Profile, `EV_EFI_ACTION` and `EV_SEPARATOR`).
const CALLING: &[u8] = b"Calling EFI Application from Boot Option";
const SEPARATOR: &[u8] = &[0; 4];
const EXIT_INVOCATION: &[u8] = b"Exit Boot Services Invocation";
const EXIT_RETURNED: &[u8] = b"Exit Boot Services Returned with Success";

/// What is started directly, by its SHA-384 digests.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct DirectBoot {
    /// Authenticode digest of the kernel ([`super::authenticode_sha384`]).
    pub kernel: Digest384,
    /// Of the load options that the kernel's EFI stub is given ([`Self::load_options`]).
    pub load_options: Digest384,
    /// Of the initrd's file.
    pub initrd: Digest384,
}

impl DirectBoot {
    /// The digest of `text` as load options: UTF-16, little-endian, with a zero after it.
    #[must_use]
    pub fn load_options(text: &str) -> Digest384 {
        let units = text.encode_utf16().chain([0]);
        let bytes: Vec<u8> = units.flat_map(u16::to_le_bytes).collect();
        crypto::sha384(&bytes)
    }

    /// Kernel, and the events of starting it.
    #[must_use]
    pub fn rtmr1(&self) -> Digest384 {
        let [calling, separator, invocation, returned] =
            [CALLING, SEPARATOR, EXIT_INVOCATION, EXIT_RETURNED].map(crypto::sha384);
        rtmr(&[self.kernel, calling, separator, invocation, returned])
    }

    /// Load options and initrd.
    #[must_use]
    pub fn rtmr2(&self) -> Digest384 {
        rtmr(&[self.load_options, self.initrd])
    }
}
