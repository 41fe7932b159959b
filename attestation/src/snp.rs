//! AMD SEV-SNP: reports v2 to v5, VCEK and VLEK chains, Milan, Genoa (with Bergamo and Siena) and Turin.

use crate::{ReportData, UnixTime};

/// Product line, from the certificate chain and checked against the report's CPUID fields.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Product {
    /// Family 19h models 00h to 0Fh.
    Milan,
    /// Family 19h models 10h to 1Fh and A0h to AFh (Genoa, Bergamo, Siena).
    Genoa,
    /// Family 1Ah models 00h to 11h.
    Turin,
}

/// A TCB version, component-wise (AMD 57230 table 3; Turin puts FMC first).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
pub struct TcbVersion {
    /// FMC firmware; only on Turin.
    pub fmc: Option<u8>,
    /// Boot loader SVN.
    pub bootloader: u8,
    /// PSP operating system SVN.
    pub tee: u8,
    /// SNP firmware SVN.
    pub snp: u8,
    /// Microcode patch level.
    pub microcode: u8,
}

/// The key that signed the report.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SigningKey {
    /// Versioned chip endorsement key: names one chip.
    Vcek,
    /// Versioned loaded endorsement key: names a cloud provider, no chip.
    Vlek,
}

/// Claims of one verified SNP report. Field names are the report's (AMD 56860 table 23).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SnpClaims {
    /// VERSION, 2 to 5.
    pub version: u32,
    /// Product line of the chain that verified.
    pub product: Product,
    /// POLICY, raw bits (AMD 56860 table 10).
    pub guest_policy: u64,
    /// DEBUG of the guest policy (bit 19).
    pub debug: bool,
    /// VMPL, 0 to 3.
    pub vmpl: u32,
    /// PLATFORM_INFO, raw bits.
    pub platform_info: u64,
    /// SIGNING_KEY.
    pub signing_key: SigningKey,
    /// MEASUREMENT, the launch digest.
    pub measurement: [u8; 48],
    /// HOST_DATA.
    pub host_data: [u8; 32],
    /// REPORT_DATA.
    pub report_data: [u8; 64],
    /// ID_KEY_DIGEST.
    pub id_key_digest: [u8; 48],
    /// AUTHOR_KEY_DIGEST.
    pub author_key_digest: [u8; 48],
    /// FAMILY_ID.
    pub family_id: [u8; 16],
    /// IMAGE_ID.
    pub image_id: [u8; 16],
    /// GUEST_SVN.
    pub guest_svn: u32,
    /// CHIP_ID; `None` when masked (all zero).
    pub chip_id: Option<[u8; 64]>,
    /// REPORTED_TCB, the one that the VEK's extensions name.
    pub reported_tcb: TcbVersion,
    /// CURRENT_TCB.
    pub current_tcb: TcbVersion,
    /// COMMITTED_TCB.
    pub committed_tcb: TcbVersion,
    /// LAUNCH_TCB.
    pub launch_tcb: TcbVersion,
    /// Launch mitigation vector (v5).
    pub launch_mit_vector: Option<u64>,
    /// Current mitigation vector (v5).
    pub current_mit_vector: Option<u64>,
    /// Least notAfter of the chain and of the CRLs given.
    pub not_after: UnixTime,
}

impl SnpClaims {
    /// Whether the report carries exactly `expected`.
    #[must_use]
    pub fn carries(&self, expected: &ReportData) -> bool {
        self.report_data == expected.0
    }
}
