//! A CPU and the GPUs beside it, as one provider.

use super::Nvml;
use attestation::{
    Binding, CpuEvidence, DeviceEvidence, EvidenceError, EvidenceProvider, ForeignReportData,
    GpuNonce,
};
use std::sync::Arc;

/// The CPU answers for the guest, the GPUs each for itself: [`attestation::attest`] has the CPU sign for all of it.
pub struct WithGpus {
    cpu: Arc<dyn EvidenceProvider>,
    gpus: Nvml,
}

impl WithGpus {
    /// `gpus` beside `cpu`.
    #[must_use]
    pub const fn new(cpu: Arc<dyn EvidenceProvider>, gpus: Nvml) -> Self {
        Self { cpu, gpus }
    }
}

impl EvidenceProvider for WithGpus {
    fn devices(&self, nonce: &GpuNonce) -> Result<Vec<DeviceEvidence>, EvidenceError> {
        Ok(self.gpus.evidence(nonce)?)
    }

    fn evidence(&self, binding: &Binding) -> Result<CpuEvidence, EvidenceError> {
        self.cpu.evidence(binding)
    }

    fn foreign_evidence(&self, data: &ForeignReportData) -> Result<CpuEvidence, EvidenceError> {
        self.cpu.foreign_evidence(data)
    }
}
