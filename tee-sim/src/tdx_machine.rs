//! One simulated TDX guest on a platform of an invented Intel.

use crate::tdx::Intel;
use attestation::{
    Binding, CollateralBundle, CpuEvidence, EvidenceError, EvidenceProvider, ForeignReportData,
    ReportData, TdxEvidence,
};

/// A guest that asks for quotes; what they and the collateral say is the [`Intel`]'s to set.
#[derive(Clone)]
pub struct TdxMachine {
    intel: Intel,
}

impl TdxMachine {
    /// A guest on `intel`'s platform.
    #[must_use]
    pub const fn new(intel: Intel) -> Self {
        Self { intel }
    }

    /// The vendor and its platform.
    #[must_use]
    pub const fn intel(&self) -> &Intel {
        &self.intel
    }

    fn quote(&self, report_data: &ReportData) -> CpuEvidence {
        CpuEvidence::Tdx(TdxEvidence {
            quote: self.intel.quote(&report_data.0),
            event_log: self.intel.event_log(),
        })
    }

    /// What verifiers of its quotes need.
    #[must_use]
    pub fn collateral(&self) -> CollateralBundle {
        CollateralBundle {
            tdx: vec![self.intel.collateral()],
            ..CollateralBundle::default()
        }
    }
}

impl EvidenceProvider for TdxMachine {
    fn evidence(&self, binding: &Binding) -> Result<CpuEvidence, EvidenceError> {
        Ok(self.quote(&binding.report_data()))
    }

    fn foreign_evidence(&self, data: &ForeignReportData) -> Result<CpuEvidence, EvidenceError> {
        Ok(self.quote(&data.report_data()))
    }
}
