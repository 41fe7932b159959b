//! SNP's launch digest (AMD 56860 section 8.17) of a guest that starts from an OVMF image.
//!
//! The hypervisor measures, in this order: the image, the sections that the image's SEV metadata asks for, one VMSA page per virtual CPU.

mod boot;
mod digest;
mod id_block;
mod metadata;
mod vcpu;
mod vmsa;

pub use boot::BootDigests;
pub use id_block::{IdBlock, key_digest};
pub use vcpu::{VCPU_TYPES, Vmm, cpuid_signature, vcpu_type_signature};

use super::{MeasureError, Measurement, firmware::Firmware, page::PAGE_BYTES};
use digest::{LaunchDigest, PageType};
use metadata::{Section, SectionType};
use vmsa::ResetState;

/// The most virtual CPUs that any virtual machine monitor gives a guest.
const MAX_VCPUS: u32 = 4096;
/// SNPActive of SEV_FEATURES (AMD64 APM volume 2, table B-4).
const SNP_ACTIVE: u64 = 1;

/// Everything that a launch digest depends on.
#[derive(Clone, Copy, Debug)]
pub struct Guest<'a> {
    /// The OVMF image: one file, code (and variables, if they are measured) up to 4 GiB.
    pub firmware: &'a [u8],
    /// How many virtual CPUs it starts with.
    pub vcpus: u32,
    /// Who starts it.
    pub vmm: Vmm,
    /// EDX of each virtual CPU at reset: the CPUID signature of its type under QEMU, [`Vmm::reset_edx`] elsewhere.
    pub reset_edx: u32,
    /// SEV_FEATURES of each virtual CPU; 1 for SNP alone.
    pub guest_features: u64,
    /// What is started directly, without a boot loader; `None` if the guest boots from its disk.
    pub boot: Option<BootDigests>,
}

/// The launch digest of `guest`: MEASUREMENT of its attestation reports.
pub fn launch_digest(guest: &Guest<'_>) -> Result<Measurement, MeasureError> {
    let firmware = Firmware::parse(guest.firmware)?;
    check_vcpus(guest)?;
    let sections = metadata::sections(&firmware)?;
    let ap_reset = metadata::ap_reset_address(&firmware, guest.vcpus)?;
    let boot_page = boot_page(guest, &firmware, &sections)?;

    let mut digest = LaunchDigest::default();
    digest.normal("firmware", firmware.gpa(), firmware.image());
    for section in in_order_of(guest.vmm, &sections) {
        add_section(&mut digest, section, boot_page.as_deref(), guest.vmm);
    }
    add_vcpus(&mut digest, guest, ap_reset);
    Ok(digest.finish())
}

fn check_vcpus(guest: &Guest<'_>) -> Result<(), MeasureError> {
    if guest.vcpus == 0 || guest.vcpus > MAX_VCPUS {
        return Err(MeasureError::SnpVcpus(guest.vcpus));
    }
    if guest.guest_features & SNP_ACTIVE == 0 {
        return Err(MeasureError::SnpGuestFeatures(guest.guest_features));
    }
    Ok(())
}

/// The page with the hashes of what is started directly, if anything is.
fn boot_page(
    guest: &Guest<'_>,
    firmware: &Firmware<'_>,
    sections: &[Section],
) -> Result<Option<Vec<u8>>, MeasureError> {
    let Some(boot) = &guest.boot else {
        return Ok(None);
    };
    let offset = metadata::hash_table_offset(firmware, sections)?;
    Ok(Some(boot.page(offset)))
}

/// EC2 measures CPUID pages after all others.
fn in_order_of(vmm: Vmm, sections: &[Section]) -> Vec<&Section> {
    let is_late =
        |section: &&Section| vmm == Vmm::Ec2 && section.section_type == SectionType::Cpuid;
    let (late, early): (Vec<_>, Vec<_>) = sections.iter().partition(is_late);
    [early, late].concat()
}

fn add_section(digest: &mut LaunchDigest, section: &Section, boot_page: Option<&[u8]>, vmm: Vmm) {
    let page_type = match (section.section_type, vmm) {
        (SectionType::KernelHashes, _) if boot_page.is_some() => PageType::Normal,
        (SectionType::SecMemory, Vmm::Gce) => PageType::Unmeasured,
        (SectionType::Secrets, _) => PageType::Secrets,
        (SectionType::Cpuid, _) => PageType::Cpuid,
        _ => PageType::Zero,
    };
    let (kind, gpa) = (section.section_type.name(), section.gpa.into());
    match boot_page.filter(|_| page_type == PageType::Normal) {
        Some(page) => digest.normal(kind, gpa, page),
        None => digest.blank(kind, page_type, gpa, section.size_bytes),
    }
}

fn add_vcpus(digest: &mut LaunchDigest, guest: &Guest<'_>, ap_reset: u32) {
    let page = |reset_address| {
        let state = ResetState {
            reset_address,
            edx: guest.reset_edx,
            guest_features: guest.guest_features,
        };
        vmsa::page(guest.vmm, &state)
    };
    digest.vmsa("VMSA of the bootstrap processor", &page(vmsa::BSP_RESET));
    let ap_page = page(ap_reset);
    for _ in 1..guest.vcpus {
        digest.vmsa("VMSA of an application processor", &ap_page);
    }
}

const fn page_count(size_bytes: u32) -> usize {
    size_bytes as usize / PAGE_BYTES
}
