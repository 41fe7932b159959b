//! What a verified report says.

use super::{
    Product, SigningKey, SnpError, TcbVersion, report::Report, tcb::RawTcb,
    verified_vek::VerifiedVek,
};
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
    /// Greatest thisUpdate of the CRLs given; `None` when none was.
    pub crl_this_update: Option<UnixTime>,
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

/// The claims of a report whose signature, by `vek`, is right.
pub(super) fn claims(report: &Report<'_>, vek: &VerifiedVek) -> Result<SnpClaims, SnpError> {
    let tcb = |raw: RawTcb, field| {
        raw.components(vek.product)
            .ok_or(SnpError::ReportTcb(field))
    };
    let [reported_tcb, current_tcb, committed_tcb, launch_tcb]: [TcbVersion; 4] = [
        tcb(report.reported_tcb(), "REPORTED_TCB")?,
        tcb(report.current_tcb(), "CURRENT_TCB")?,
        tcb(report.committed_tcb(), "COMMITTED_TCB")?,
        tcb(report.launch_tcb(), "LAUNCH_TCB")?,
    ];
    let chip_id = report.chip_id();
    Ok(SnpClaims {
        version: report.version(),
        product: vek.product,
        guest_policy: report.guest_policy(),
        debug: report.is_debug(),
        vmpl: report.vmpl(),
        platform_info: report.platform_info(),
        signing_key: vek.kind,
        measurement: report.measurement(),
        host_data: report.host_data(),
        report_data: report.report_data(),
        id_key_digest: report.id_key_digest(),
        author_key_digest: report.author_key_digest(),
        family_id: report.family_id(),
        image_id: report.image_id(),
        guest_svn: report.guest_svn(),
        chip_id: (chip_id != [0; 64]).then_some(chip_id),
        reported_tcb,
        current_tcb,
        committed_tcb,
        launch_tcb,
        launch_mit_vector: report.launch_mit_vector(),
        current_mit_vector: report.current_mit_vector(),
        csp_id: vek.csp_id.clone(),
        crl_next_update: vek.lists.map(|lists| lists.not_after),
        crl_this_update: vek.lists.map(|lists| lists.not_before),
        not_after: vek.window().not_after,
    })
}
