//! SNP evidence through the ioctl of `/dev/sev-guest`, for kernels before configfs-tsm (6.7). **Not run on hardware.**
//!
//! Only the report is asked for. The crate's extended request also reads the host's certificate table, but follows the host's offsets
//! and lengths without checking them, so the certificate of the signing key comes from the operator's file.

use super::{
    CertTable, VekError, VekFile,
    report::{self, REPORT_BYTES},
    vek,
};
use attestation::{Binding, CpuEvidence, EvidenceError, EvidenceProvider, SnpEvidence};
use sev::firmware::guest::Firmware;

/// The adapter around the crate `sev`.
pub struct SevGuest {
    vek: VekFile,
    vmpl: Option<u32>,
}

impl SevGuest {
    /// An adapter that endorses its reports with `vek`, which must be given.
    pub fn new(vek: Option<VekFile>, privlevel: Option<u8>) -> Result<Self, EvidenceError> {
        Ok(Self {
            vek: vek.ok_or(VekError::Absent)?,
            vmpl: privlevel.map(u32::from),
        })
    }
}

impl EvidenceProvider for SevGuest {
    fn evidence(&self, binding: &Binding) -> Result<CpuEvidence, EvidenceError> {
        let request = binding.report_data();
        let mut firmware = Firmware::open().map_err(unavailable)?;
        let report = firmware
            .get_report(None, Some(request.0), self.vmpl)
            .map_err(unavailable)?;
        if report.len() != REPORT_BYTES || !report::carries(&report, &request) {
            return Err(EvidenceError::Mismatch);
        }
        let kind = report::signing_key(&report);
        Ok(CpuEvidence::Snp(SnpEvidence {
            vek: vek::choose(kind, &CertTable::default(), Some(&self.vek))?,
            chain: Vec::new(),
            report,
        }))
    }
}

fn unavailable(error: impl std::fmt::Display) -> EvidenceError {
    EvidenceError::Unavailable(format!("/dev/sev-guest: {error}"))
}

impl From<VekError> for EvidenceError {
    fn from(error: VekError) -> Self {
        Self::Unavailable(format!("{}: {error}", error.code()))
    }
}
