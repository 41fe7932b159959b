//! What hardware hands out, untouched, and who asks it.

use crate::{Binding, BindingId, Digest, ReportData, hash};

/// What the CPU's firmware signs, with what comes along.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum CpuEvidence {
    /// AMD SEV-SNP.
    Snp(SnpEvidence),
    /// Intel TDX.
    Tdx(TdxEvidence),
}

/// An SNP report with its endorsements.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SnpEvidence {
    /// The SNP attestation report (1184 bytes), AMD 56860 table 23.
    pub report: Vec<u8>,
    /// The VCEK or VLEK certificate, DER.
    pub vek: Vec<u8>,
    /// Intermediates (ASK or ASVK), DER; empty: the built-in ones.
    pub chain: Vec<Vec<u8>>,
}

/// A TDX quote; its collateral comes from elsewhere.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TdxEvidence {
    /// The quote, version 4 or 5.
    pub quote: Vec<u8>,
    /// The CCEL event log, where the guest's firmware keeps one.
    pub event_log: Option<Vec<u8>>,
}

/// What one GPU or switch answered.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DeviceEvidence {
    /// SPDM GET_MEASUREMENTS request and response, as signed.
    pub report: Vec<u8>,
    /// The device's certificates, DER, leaf first.
    pub chain: Vec<Vec<u8>>,
}

impl DeviceEvidence {
    /// H(device): SHA-256 under `narthex/1/device` over the report, then each certificate.
    #[must_use]
    pub fn digest(&self) -> Digest {
        let certificates = self.chain.iter().map(Vec::as_slice);
        let fields: Vec<&[u8]> = std::iter::once(self.report.as_slice())
            .chain(certificates)
            .collect();
        hash::sha256_fields("narthex/1/device", &fields)
    }
}

/// What a node's devices must answer: ties their evidence to the channel (docs/protocol.md, "Hashing").
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct GpuNonce(pub [u8; 32]);

/// Asks this machine's hardware for evidence, at the runtime.
pub trait EvidenceProvider: Send + Sync {
    /// Evidence of every GPU and switch over `nonce`, in an order of the machine's own; none on a node without any.
    fn devices(&self, _nonce: &GpuNonce) -> Result<Vec<DeviceEvidence>, EvidenceError> {
        Ok(Vec::new())
    }

    /// The CPU's evidence over `binding.report_data()`, which covers what [`Self::devices`] answered.
    fn evidence(&self, binding: &Binding) -> Result<CpuEvidence, EvidenceError>;

    /// The CPU's evidence over what another protocol has it sign, on platforms that it is spoken on.
    fn foreign_evidence(&self, _data: &ForeignReportData) -> Result<CpuEvidence, EvidenceError> {
        let reason = "this platform signs nothing for other protocols".to_owned();
        Err(EvidenceError::Unavailable(reason))
    }
}

/// What another protocol puts into report_data: a SHA-384, behind it 16 zero bytes. No [`Binding`] gives such report_data: it is a SHA-512.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ForeignReportData(pub [u8; 48]);

impl ForeignReportData {
    /// The 64 bytes.
    #[must_use]
    pub fn report_data(&self) -> ReportData {
        let mut bytes = [0; 64];
        for (to, from) in bytes.iter_mut().zip(self.0) {
            *to = from;
        }
        ReportData(bytes)
    }
}

/// What the whole machine said to one binding.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Attestation {
    /// The CPU's evidence.
    pub cpu: CpuEvidence,
    /// The devices'.
    pub devices: Vec<DeviceEvidence>,
    /// Names it.
    pub id: BindingId,
}

/// Has every device answer, then the CPU sign for all of it. `binding.devices` is filled in here.
pub fn attest(
    provider: &dyn EvidenceProvider,
    mut binding: Binding,
) -> Result<Attestation, EvidenceError> {
    let devices = provider.devices(&binding.gpu_nonce())?;
    binding.devices = devices.iter().map(DeviceEvidence::digest).collect();
    let cpu = provider.evidence(&binding)?;
    Ok(Attestation {
        cpu,
        devices,
        id: binding.report_data().binding_id(),
    })
}

/// Why a platform gave no evidence.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum EvidenceError {
    /// The platform's interface is absent or answered with an error; the text is safe to log.
    #[error("evidence unavailable: {0}")]
    Unavailable(String),
    /// The firmware answered with a report for another request.
    #[error("the firmware's report does not carry the requested report_data")]
    Mismatch,
}
