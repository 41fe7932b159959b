//! Virtual machine monitors and the types of virtual CPU, as far as they show in a launch digest.

/// Who starts the guest.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Vmm {
    /// QEMU with KVM.
    Qemu,
    /// Amazon EC2.
    Ec2,
    /// Google Compute Engine.
    Gce,
}

impl Vmm {
    /// EDX at reset where it does not depend on the type of virtual CPU.
    ///
    /// EC2 gave 0 before April 2026; both clouds now give what KVM does for a virtual CPU without CPUID.
    #[must_use]
    pub const fn reset_edx(self) -> Option<u32> {
        match self {
            Self::Qemu => None,
            Self::Ec2 | Self::Gce => Some(0x600),
        }
    }
}

const NAPLES: u32 = cpuid_signature(23, 1, 2);
const ROME: u32 = cpuid_signature(23, 49, 0);
const MILAN: u32 = cpuid_signature(25, 1, 1);
const GENOA: u32 = cpuid_signature(25, 17, 0);
const TURIN: u32 = cpuid_signature(26, 0, 0);

/// QEMU's names of types of virtual CPU with their CPUID signatures.
pub const VCPU_TYPES: &[(&str, u32)] = &[
    ("EPYC", NAPLES),
    ("EPYC-v1", NAPLES),
    ("EPYC-v2", NAPLES),
    ("EPYC-IBPB", NAPLES),
    ("EPYC-v3", NAPLES),
    ("EPYC-v4", NAPLES),
    ("EPYC-Rome", ROME),
    ("EPYC-Rome-v1", ROME),
    ("EPYC-Rome-v2", ROME),
    ("EPYC-Rome-v3", ROME),
    ("EPYC-Milan", MILAN),
    ("EPYC-Milan-v1", MILAN),
    ("EPYC-Milan-v2", MILAN),
    ("EPYC-Genoa", GENOA),
    ("EPYC-Genoa-v1", GENOA),
    ("EPYC-Turin", TURIN),
    ("EPYC-Turin-v1", TURIN),
    ("EPYC-Turin-v2", TURIN),
];

/// The CPUID signature of the type of virtual CPU that QEMU calls `name`.
#[must_use]
pub fn vcpu_type_signature(name: &str) -> Option<u32> {
    let (_, signature) = VCPU_TYPES
        .iter()
        .find(|(known, _)| known.eq_ignore_ascii_case(name))?;
    Some(*signature)
}

/// CPUID Fn0000_0001_EAX of this family (15 to 270), model and stepping (AMD 25481).
#[must_use]
pub const fn cpuid_signature(family: u32, model: u32, stepping: u32) -> u32 {
    let extended_family = family.saturating_sub(0xf) & 0xff;
    (extended_family << 20)
        | ((model >> 4 & 0xf) << 16)
        | (0xf << 8)
        | ((model & 0xf) << 4)
        | (stepping & 0xf)
}
