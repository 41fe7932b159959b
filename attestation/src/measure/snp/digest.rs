//! The chain over PAGE_INFO structures (AMD 56860 section 8.17.2).

use super::super::{Measurement, Region, measurement::Digest384, page::PAGE_BYTES};
use crate::crypto;

/// Bytes of PAGE_INFO.
const PAGE_INFO_BYTES: u16 = 0x70;
/// Where VMSA pages are measured: the guest-physical address is the hypervisor's choice and does not count.
const VMSA_GPA: u64 = 0xffff_ffff_f000;
/// CONTENTS of pages whose contents do not count.
const NO_CONTENTS: Digest384 = [0; 48];

/// PAGE_TYPE (AMD 56860, SNP_LAUNCH_UPDATE).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum PageType {
    Normal = 1,
    Vmsa = 2,
    Zero = 3,
    Unmeasured = 4,
    Secrets = 5,
    Cpuid = 6,
}

impl PageType {
    const fn name(self) -> &'static str {
        match self {
            Self::Normal => "PAGE_TYPE_NORMAL",
            Self::Vmsa => "PAGE_TYPE_VMSA",
            Self::Zero => "PAGE_TYPE_ZERO",
            Self::Unmeasured => "PAGE_TYPE_UNMEASURED",
            Self::Secrets => "PAGE_TYPE_SECRETS",
            Self::Cpuid => "PAGE_TYPE_CPUID",
        }
    }
}

/// A launch digest so far.
pub(super) struct LaunchDigest {
    digest: Digest384,
    regions: Vec<Region>,
}

impl Default for LaunchDigest {
    fn default() -> Self {
        Self {
            digest: [0; 48],
            regions: Vec::new(),
        }
    }
}

impl LaunchDigest {
    /// Pages with `contents`, a whole number of them.
    pub(super) fn normal(&mut self, kind: &'static str, gpa: u64, contents: &[u8]) {
        for (page, gpa) in contents.chunks(PAGE_BYTES).zip((gpa..).step_by(PAGE_BYTES)) {
            self.page(PageType::Normal, gpa, &crypto::sha384(page));
        }
        self.tell(kind, PageType::Normal, gpa, contents.len() as u64);
    }

    /// Pages whose contents do not count, or are zeros.
    pub(super) fn blank(
        &mut self,
        kind: &'static str,
        page_type: PageType,
        gpa: u64,
        size_bytes: u32,
    ) {
        let pages = (gpa..)
            .step_by(PAGE_BYTES)
            .take(super::page_count(size_bytes));
        for gpa in pages {
            self.page(page_type, gpa, &NO_CONTENTS);
        }
        self.tell(kind, page_type, gpa, size_bytes.into());
    }

    /// One virtual CPU's state.
    pub(super) fn vmsa(&mut self, kind: &'static str, page: &[u8]) {
        self.page(PageType::Vmsa, VMSA_GPA, &crypto::sha384(page));
        self.tell(kind, PageType::Vmsa, VMSA_GPA, page.len() as u64);
    }

    pub(super) fn finish(self) -> Measurement {
        Measurement {
            digest: self.digest,
            regions: self.regions,
        }
    }

    /// Not incoming (IMI_PAGE), and no access for VMPL 1 to 3: what every known hypervisor asks for.
    fn page(&mut self, page_type: PageType, gpa: u64, contents: &Digest384) {
        let [length_low, length_high] = PAGE_INFO_BYTES.to_le_bytes();
        let page_info = [
            self.digest.as_slice(),
            contents,
            &[length_low, length_high, page_type as u8, 0, 0, 0, 0, 0],
            &gpa.to_le_bytes(),
        ];
        self.digest = crypto::sha384(&page_info.concat());
    }

    fn tell(&mut self, kind: &'static str, page_type: PageType, gpa: u64, size_bytes: u64) {
        self.regions.push(Region {
            kind,
            operation: page_type.name(),
            gpa,
            size_bytes,
            digest: self.digest,
        });
    }
}
