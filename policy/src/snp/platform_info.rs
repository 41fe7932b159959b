//! PLATFORM_INFO (AMD 56860 table 24): what the firmware says about the machine as it is configured now.

/// A flag of PLATFORM_INFO. The name is AMD's.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum PlatformInfoBit {
    /// Bit 0, SMT_EN.
    SmtEn,
    /// Bit 1, TSME_EN.
    TsmeEn,
    /// Bit 2, ECC_EN.
    EccEn,
    /// Bit 3, RAPL_DIS.
    RaplDis,
    /// Bit 4, CIPHERTEXT_HIDING_DRAM_EN.
    CiphertextHidingDramEn,
    /// Bit 5, ALIAS_CHECK_COMPLETE: no memory alias since the last reset (BadRAM, AMD-SB-3015).
    AliasCheckComplete,
    /// Bit 6: IOMMU writes are safe (AMD-SB-3016).
    IommuWriteSafe,
    /// Bit 7, TIO_EN: SEV-TIO is on.
    TioEn,
}

/// `[snp.platform_info]`; the two lists share no flag.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct PlatformInfoRules {
    /// Flags that must be set.
    pub required: Vec<PlatformInfoBit>,
    /// Flags that must be clear.
    pub forbidden: Vec<PlatformInfoBit>,
}

/// Names of the flags in a document: AMD's in lower case.
pub(crate) const PLATFORM_INFO_BITS: [(&str, PlatformInfoBit); 8] = [
    ("smt_en", PlatformInfoBit::SmtEn),
    ("tsme_en", PlatformInfoBit::TsmeEn),
    ("ecc_en", PlatformInfoBit::EccEn),
    ("rapl_dis", PlatformInfoBit::RaplDis),
    (
        "ciphertext_hiding_dram_en",
        PlatformInfoBit::CiphertextHidingDramEn,
    ),
    ("alias_check_complete", PlatformInfoBit::AliasCheckComplete),
    ("iommu_write_safe", PlatformInfoBit::IommuWriteSafe),
    ("tio_en", PlatformInfoBit::TioEn),
];

impl PlatformInfoBit {
    /// The name in a document.
    #[must_use]
    pub fn name(self) -> &'static str {
        super::name_of(&PLATFORM_INFO_BITS, &self)
    }

    /// The flag's bit of PLATFORM_INFO.
    #[must_use]
    pub const fn mask(self) -> u64 {
        1 << (self as u64)
    }
}
