//! What a verified report says.

use super::{Product, SigningKey, TcbVersion};
use crate::{ReportData, UnixTime};

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
    /// The cloud provider that a VLEK names (extension 1.3.6.1.4.1.3704.1.5); `None` under a VCEK.
    pub csp_id: Option<String>,
    /// Least nextUpdate of the CRLs given; `None` when none was: revocation was not checked.
    pub crl_next_update: Option<UnixTime>,
    /// Least notAfter of the chain and nextUpdate of the CRLs given.
    pub not_after: UnixTime,
}

impl SnpClaims {
    /// Whether the report carries exactly `expected`.
    #[must_use]
    pub fn carries(&self, expected: &ReportData) -> bool {
        self.report_data == expected.0
    }
}
