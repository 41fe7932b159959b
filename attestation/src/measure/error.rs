//! Why no measurement could be computed: one variant per demand, in the order in which they are checked.

use crate::ErrorClass;

/// The demand that the artefacts did not meet.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum MeasureError {
    /// The image is empty, larger than any, or not a whole number of pages.
    #[error("the firmware has {0} bytes; images are whole pages of 4096 bytes, at most 32 MiB")]
    FirmwareSize(usize),
    /// No table of GUIDs 32 bytes before the image's end.
    #[error("the firmware has no OVMF table of GUIDs at its end")]
    FirmwareFooter,
    /// The table's entries do not fill it exactly, or one is there twice.
    #[error("the firmware's table of GUIDs is malformed")]
    FirmwareTable,
    /// No guest, or more virtual CPUs than any has.
    #[error("{0} virtual CPUs; a guest has 1 to 4096")]
    SnpVcpus(u32),
    /// SNPActive is clear in SEV_FEATURES.
    #[error("the guest features {0:#x} are no SNP guest's: bit 0 is clear")]
    SnpGuestFeatures(u64),
    /// The firmware is not made for SNP.
    #[error("the firmware has no SEV metadata")]
    SnpMetadataAbsent,
    /// Signature, version, length or number of sections do not fit together.
    #[error("the firmware's SEV metadata has an unexpected {0}")]
    SnpMetadata(&'static str),
    /// A section of a type that this build does not know how to measure.
    #[error("the firmware's SEV metadata has a section of the unknown type {0:#x}")]
    SnpSectionType(u32),
    /// A section is not a whole number of pages, one that must have one page has another number, or all together are too many.
    #[error("the firmware's SEV metadata has a section of {size_bytes} bytes at {gpa:#x}")]
    SnpSection {
        /// Its address.
        gpa: u32,
        /// Its length.
        size_bytes: u32,
    },
    /// A guest of several virtual CPUs, and no address at which the others start.
    #[error("the firmware does not say where further virtual CPUs start")]
    SnpResetBlock,
    /// A kernel is given, and the firmware has no place for its hashes.
    #[error("the firmware does not measure a kernel: {0}")]
    SnpKernelHashes(&'static str),
    /// The firmware is not made for TDX.
    #[error("the firmware has no TDVF metadata")]
    TdxMetadataAbsent,
    /// Signature, version, length or number of sections do not fit together.
    #[error("the firmware's TDVF metadata has an unexpected {0}")]
    TdxMetadata(&'static str),
    /// A section of a type, or with attributes, that this build does not know.
    #[error(
        "the firmware's TDVF metadata has a section of type {section_type} with attributes {attributes:#x}"
    )]
    TdxSectionType {
        /// Its type.
        section_type: u32,
        /// Its attributes.
        attributes: u32,
    },
    /// A section is not whole pages, has more data than memory, data outside the image, or all together are too many pages.
    #[error(
        "the firmware's TDVF metadata has a section of {size_bytes} bytes at {gpa:#x} that cannot be"
    )]
    TdxSection {
        /// Its address.
        gpa: u64,
        /// Its length in memory.
        size_bytes: u64,
    },
    /// A kernel that no UEFI firmware would start.
    #[error("the kernel is not a well-formed PE image: {0}")]
    Kernel(&'static str),
}

impl MeasureError {
    /// Stable code.
    #[must_use]
    pub const fn code(&self) -> &'static str {
        match self {
            Self::FirmwareSize(_) => "measure.firmware.size",
            Self::FirmwareFooter => "measure.firmware.footer",
            Self::FirmwareTable => "measure.firmware.table",
            Self::SnpVcpus(_) => "measure.snp.vcpus",
            Self::SnpGuestFeatures(_) => "measure.snp.guest_features",
            Self::SnpMetadataAbsent => "measure.snp.metadata_absent",
            Self::SnpMetadata(_) => "measure.snp.metadata",
            Self::SnpSectionType(_) => "measure.snp.section_type",
            Self::SnpSection { .. } => "measure.snp.section",
            Self::SnpResetBlock => "measure.snp.reset_block",
            Self::SnpKernelHashes(_) => "measure.snp.kernel_hashes",
            Self::TdxMetadataAbsent => "measure.tdx.metadata_absent",
            Self::TdxMetadata(_) => "measure.tdx.metadata",
            Self::TdxSectionType { .. } => "measure.tdx.section_type",
            Self::TdxSection { .. } => "measure.tdx.section",
            Self::Kernel(_) => "measure.kernel",
        }
    }

    /// Whether the artefacts are malformed, or well-formed and beyond what can be measured.
    #[must_use]
    pub const fn class(&self) -> ErrorClass {
        match self {
            Self::SnpMetadataAbsent
            | Self::SnpSectionType(_)
            | Self::SnpResetBlock
            | Self::SnpKernelHashes(_)
            | Self::TdxMetadataAbsent
            | Self::TdxSectionType { .. } => ErrorClass::Unsupported,
            _ => ErrorClass::Malformed,
        }
    }
}
