//! Why the GPUs give no evidence.

use super::call::CallError;
use attestation::nvidia::NvidiaError;

/// In the order of the steps; `code()` is stable. GPUs count from 0, in the driver's order.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum NvmlError {
    /// There is no such library, or it cannot be loaded.
    #[error("the driver's management library cannot be loaded: {0}")]
    Absent(String),
    /// The library could not begin its work.
    #[error("the driver's management library could not be initialised: {0}")]
    Init(CallError),
    /// The mode of confidential computing could not be asked.
    #[error("the mode of confidential computing is not told: {0}")]
    Mode(CallError),
    /// Confidential computing is off: what such a GPU holds, the host reads.
    #[error(
        "the GPUs are not in confidential-compute mode: the host must turn it on, and the guest be started anew"
    )]
    CcOff,
    /// The environment is simulated, unavailable or unknown.
    #[error("the environment of confidential computing is {0}, not production")]
    Environment(&'static str),
    /// Development tools are on: a debugger reads the GPU's memory.
    #[error(
        "the GPUs are in devtools mode, which lets their memory be read: the host must turn it off"
    )]
    Devtools,
    /// A way of working together that is not known.
    #[error("multi-GPU mode {0} is not known")]
    MultiGpu(u32),
    /// The GPUs could not be counted.
    #[error("the GPUs are not counted: {0}")]
    Count(CallError),
    /// No GPU, or more than any machine has.
    #[error("the driver names {0} GPUs; 1 to 32 are asked for")]
    Gpus(u32),
    /// Another number of GPUs than was checked.
    #[error("the driver names {0} GPUs, another number than was checked at the start")]
    GpusChanged(u32),
    /// A GPU could not be opened.
    #[error("GPU {0} cannot be opened: {1}")]
    Device(usize, CallError),
    /// Which GPU it is, is not told.
    #[error("which GPU number {0} is, is not told: {1}")]
    Uuid(usize, CallError),
    /// A part of a GPU: evidence is the whole GPU's.
    #[error(
        "number {0} is a part of a GPU (MIG), and evidence is the whole GPU's: the host must turn MIG off"
    )]
    Mig(usize),
    /// What is told is no UUID.
    #[error("which GPU number {0} is, is told in another form than `GPU-` and a UUID")]
    UuidFormat(usize),
    /// One GPU under two numbers.
    #[error("number {0} is a GPU that was named before")]
    UuidDoubled(usize),
    /// Other GPUs than were checked.
    #[error("the driver names other GPUs than were checked at the start")]
    GpusReplaced,
    /// A GPU gave no report.
    #[error("GPU {0} gave no attestation report: {1}")]
    Report(usize, CallError),
    /// The report does not have the size that it says.
    #[error("the attestation report of GPU {0} does not have the size that it says")]
    ReportSize(usize),
    /// The report answers another request.
    #[error("the attestation report of GPU {0} answers another nonce")]
    Nonce(usize),
    /// The controller's report does not have the size that it says.
    #[error("the controller's report of GPU {0} does not have the size that it says")]
    CecReport(usize),
    /// A GPU gave no certificates.
    #[error("GPU {0} gave no certificates: {1}")]
    Certificate(usize, CallError),
    /// The certificates do not have the size that is told.
    #[error("the certificates of GPU {0} do not have the size that is told")]
    CertificateSize(usize),
    /// The certificates are no PEM, or none, or too many.
    #[error("the certificates of GPU {0} are not 1 to 8 in PEM")]
    CertificateFormat(usize),
    /// The version of driver, CUDA or VBIOS is not told, or is no version.
    #[error("the version of {0} is not told: {1}")]
    Version(&'static str, CallError),
    /// A version is not 1 to 80 printable characters.
    #[error("the version of {0} is none")]
    VersionFormat(&'static str),
    /// What a GPU answered to the runtime itself is not genuine.
    #[error("the runtime's own check of GPU {0} failed: {code}: {1}", code = .1.code())]
    SelfCheck(usize, Box<NvidiaError>),
    /// The GPU signed for another driver than the library names.
    #[error("GPU {0} was brought up by another driver than the one that is loaded")]
    Driver(usize),
    /// Whether the GPUs are ready could not be asked.
    #[error("whether the GPUs accept work is not told: {0}")]
    Ready(CallError),
    /// The GPUs could not be made ready.
    #[error("the GPUs could not be made ready: {0}")]
    SetReady(CallError),
    /// The GPUs accept no work.
    #[error("the GPUs are not ready: they accept no work")]
    NotReady,
    /// The device that computes gave no evidence.
    #[error(
        "the CUDA device that computes is none of the GPUs that gave evidence: CUDA and NVML must name the same, whole GPUs (containers, CUDA_VISIBLE_DEVICES, MIG)"
    )]
    Unattested,
}

impl NvmlError {
    /// Stable code.
    #[must_use]
    pub const fn code(&self) -> &'static str {
        match self {
            Self::Absent(_) => "nvml.absent",
            Self::Init(failed) => failed.code("nvml.init"),
            Self::Mode(failed) => failed.code("nvml.mode"),
            Self::CcOff => "nvml.cc_off",
            Self::Environment(_) => "nvml.environment",
            Self::Devtools => "nvml.devtools",
            Self::MultiGpu(_) => "nvml.multi_gpu",
            Self::Count(failed) => failed.code("nvml.count"),
            Self::Gpus(_) => "nvml.gpus",
            Self::GpusChanged(_) => "nvml.gpus_changed",
            Self::Device(_, failed) => failed.code("nvml.device"),
            Self::Uuid(_, failed) => failed.code("nvml.uuid"),
            Self::Mig(_) => "nvml.mig",
            Self::UuidFormat(_) => "nvml.uuid_format",
            Self::UuidDoubled(_) => "nvml.uuid_doubled",
            Self::GpusReplaced => "nvml.gpus_replaced",
            Self::Report(_, failed) => failed.code("nvml.report"),
            Self::ReportSize(_) => "nvml.report_size",
            Self::Nonce(_) => "nvml.nonce",
            Self::CecReport(_) => "nvml.cec_report",
            Self::Certificate(_, failed) => failed.code("nvml.certificate"),
            Self::CertificateSize(_) => "nvml.certificate_size",
            Self::CertificateFormat(_) => "nvml.certificate_format",
            Self::Version(_, failed) => failed.code("nvml.version"),
            Self::VersionFormat(_) => "nvml.version_format",
            Self::SelfCheck(..) => "nvml.self_check",
            Self::Driver(_) => "nvml.driver",
            Self::Ready(failed) => failed.code("nvml.ready"),
            Self::SetReady(failed) => failed.code("nvml.set_ready"),
            Self::NotReady => "nvml.not_ready",
            Self::Unattested => "nvml.unattested",
        }
    }
}

impl CallError {
    /// An absent function is told as such, whatever step it was for.
    const fn code(self, of_the_step: &'static str) -> &'static str {
        match self {
            Self::Symbol(_) => "nvml.symbol",
            Self::Return(_) => of_the_step,
        }
    }
}
