//! The guest policy (AMD 56860 table 10): what the guest's owner let the hypervisor do. DEBUG has no name here: it is always denied.

use crate::BitRule;

/// A flag of POLICY that a document must speak about. The name is AMD's.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum GuestPolicyBit {
    /// Bit 16, SMT: the host may run with SMT.
    Smt,
    /// Bit 18, MIGRATE_MA: a migration agent may be associated.
    MigrateMa,
    /// Bit 20, SINGLE_SOCKET: the guest runs on one socket only.
    SingleSocket,
    /// Bit 21, CXL_ALLOW: CXL may be populated with devices or memory.
    CxlAllow,
    /// Bit 22, MEM_AES_256_XTS: memory must be encrypted with AES-256-XTS.
    MemAes256Xts,
    /// Bit 23, RAPL_DIS: running average power limit must be off.
    RaplDis,
    /// Bit 24, CIPHERTEXT_HIDING_DRAM: must be on.
    CiphertextHidingDram,
    /// Bit 25, PAGE_SWAP_DISABLE: SNP_PAGE_MOVE, SNP_SWAP_OUT and SNP_SWAP_IN are refused.
    PageSwapDisable,
}

/// `[snp.guest_policy]`: one rule for each flag.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct GuestPolicyRules(pub(crate) [BitRule; 8]);

/// Bit 19, DEBUG: the hypervisor may read and write the guest's memory.
pub(crate) const DEBUG: u64 = 1 << 19;

/// Bit 17: reserved, must be one.
pub(crate) const RESERVED_ONE: u64 = 1 << 17;

/// Bits 63 to 26: reserved, must be zero.
pub(crate) const RESERVED_ZERO: u64 = !0 << 26;

impl GuestPolicyBit {
    /// Every flag, in the order of their bits.
    pub const ALL: [Self; 8] = [
        Self::Smt,
        Self::MigrateMa,
        Self::SingleSocket,
        Self::CxlAllow,
        Self::MemAes256Xts,
        Self::RaplDis,
        Self::CiphertextHidingDram,
        Self::PageSwapDisable,
    ];

    /// The key in a document: AMD's name in lower case.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Smt => "smt",
            Self::MigrateMa => "migrate_ma",
            Self::SingleSocket => "single_socket",
            Self::CxlAllow => "cxl_allow",
            Self::MemAes256Xts => "mem_aes_256_xts",
            Self::RaplDis => "rapl_dis",
            Self::CiphertextHidingDram => "ciphertext_hiding_dram",
            Self::PageSwapDisable => "page_swap_disable",
        }
    }

    /// The flag's bit of POLICY.
    #[must_use]
    pub const fn mask(self) -> u64 {
        match self {
            Self::Smt => 1 << 16,
            Self::MigrateMa => 1 << 18,
            Self::SingleSocket => 1 << 20,
            Self::CxlAllow => 1 << 21,
            Self::MemAes256Xts => 1 << 22,
            Self::RaplDis => 1 << 23,
            Self::CiphertextHidingDram => 1 << 24,
            Self::PageSwapDisable => 1 << 25,
        }
    }
}

impl GuestPolicyRules {
    /// Every flag with its rule.
    pub fn iter(&self) -> impl Iterator<Item = (GuestPolicyBit, BitRule)> {
        GuestPolicyBit::ALL.into_iter().zip(self.0)
    }
}
