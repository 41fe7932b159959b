//! A simulated machine with GPUs of an invented NVIDIA beside its CPU.

use crate::nvidia::Nvidia;
use attestation::{
    Binding, CollateralBundle, CpuEvidence, DeviceEvidence, EvidenceError, EvidenceProvider,
    ForeignReportData, GpuNonce,
};

/// `P` answers for the CPU, each of the GPUs for itself.
#[derive(Clone)]
pub struct GpuMachine<P> {
    cpu: P,
    gpus: Vec<Nvidia>,
}

impl<P> GpuMachine<P> {
    /// A machine with these GPUs, in this order.
    #[must_use]
    pub const fn new(cpu: P, gpus: Vec<Nvidia>) -> Self {
        Self { cpu, gpus }
    }

    /// The CPU's side.
    #[must_use]
    pub const fn cpu(&self) -> &P {
        &self.cpu
    }

    /// What verifiers of its GPUs need.
    #[must_use]
    pub fn collateral(&self) -> CollateralBundle {
        let one = |gpu: &Nvidia| CollateralBundle {
            nvidia: gpu.references(),
            ..CollateralBundle::default()
        };
        let all = self.gpus.iter().map(one);
        all.fold(CollateralBundle::default(), CollateralBundle::merge)
    }
}

impl<P: EvidenceProvider> EvidenceProvider for GpuMachine<P> {
    fn devices(&self, nonce: &GpuNonce) -> Result<Vec<DeviceEvidence>, EvidenceError> {
        let answer = |gpu: &Nvidia| {
            let issued = gpu.issue(&nonce.0);
            DeviceEvidence {
                report: issued.report,
                chain: issued.chain,
            }
        };
        Ok(self.gpus.iter().map(answer).collect())
    }

    fn evidence(&self, binding: &Binding) -> Result<CpuEvidence, EvidenceError> {
        self.cpu.evidence(binding)
    }

    fn foreign_evidence(&self, data: &ForeignReportData) -> Result<CpuEvidence, EvidenceError> {
        self.cpu.foreign_evidence(data)
    }
}
