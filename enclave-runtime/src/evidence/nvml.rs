//! Evidence of NVIDIA GPUs through NVML, the driver's management library. **Not run on hardware.**
//!
//! The library is opened at run time, so that one binary serves machines with and without GPUs. What it says is checked before use and
//! believed for nothing but refusals: peers verify what the devices signed. Whether development tools are on is not signed anywhere, so a
//! measured runtime that refuses is the only one who can tell (docs/operations.md, "GPUs").

mod call;
mod error;
mod identities;
mod library;
mod mode;
mod pem;
mod report;
mod self_check;
mod versions;

pub use call::{CallError, Return};
pub use error::NvmlError;
pub use identities::GpuIdentities;
pub use mode::MultiGpuMode;
pub use self_check::SelfCheck;
pub use versions::GpuVersions;

use attestation::{DeviceEvidence, EvidenceError, GpuNonce};
use library::{Handle, Library};
use std::path::Path;

/// What the driver installs; the loader finds it.
pub const LIBRARY: &str = "libnvidia-ml.so.1";
/// More GPUs than any machine has.
const MAX_GPUS: u32 = 32;

/// The GPUs of a machine whose driver says that they are confidential.
pub struct Nvml {
    library: Library,
    multi_gpu: MultiGpuMode,
    count: u32,
    identities: GpuIdentities,
}

/// What one GPU answered to a nonce.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct GpuAnswer {
    /// What verifiers judge.
    pub evidence: DeviceEvidence,
    /// Report of the board's controller, where there is one. No verifier here judges it, and it leaves the machine nowhere.
    pub cec_report: Option<Vec<u8>>,
}

impl Nvml {
    /// Opens the library at `path`. GPUs that are not confidential, and those whose memory a debugger can read, are refused.
    pub fn open(path: &Path) -> Result<Self, NvmlError> {
        let library = Library::open(path)?;
        let multi_gpu = mode::judge(&library)?;
        let count = library.device_count().map_err(NvmlError::Count)?;
        if !(1..=MAX_GPUS).contains(&count) {
            return Err(NvmlError::Gpus(count));
        }
        let identities = GpuIdentities::read(&library, handles(&library, count)?)?;
        Ok(Self {
            library,
            multi_gpu,
            count,
            identities,
        })
    }

    /// Which GPUs there are.
    #[must_use]
    pub const fn identities(&self) -> &GpuIdentities {
        &self.identities
    }

    /// How several GPUs work together.
    #[must_use]
    pub const fn multi_gpu(&self) -> MultiGpuMode {
        self.multi_gpu
    }

    /// The versions of what drives the GPUs.
    pub fn versions(&self) -> Result<GpuVersions, NvmlError> {
        versions::read(&self.library, self.handles()?)
    }

    /// Asks every GPU for evidence and, once `check` holds for all of it, has the driver let programs use them; `true` where they could
    /// already. A GPU that fails is used by nobody: under confidential computing the driver makes no context before it is told to.
    pub fn make_ready(&self, check: &SelfCheck) -> Result<bool, NvmlError> {
        let answers = self.answers(check.nonce())?;
        let driver = versions::driver(&self.library)?;
        check.judge(&answers, &driver)?;
        if self.is_ready()? {
            return Ok(true);
        }
        self.library.set_ready().map_err(NvmlError::SetReady)?;
        match self.is_ready()? {
            true => Ok(false),
            false => Err(NvmlError::NotReady),
        }
    }

    /// Evidence of every GPU over `nonce`, in the driver's order; refused once a GPU is not confidential or not ready any more, or
    /// other GPUs are there.
    pub fn evidence(&self, nonce: &GpuNonce) -> Result<Vec<DeviceEvidence>, NvmlError> {
        mode::judge(&self.library)?;
        if !self.is_ready()? {
            return Err(NvmlError::NotReady);
        }
        self.check_count()?;
        self.check_identities()?;
        let answers = self.answers(nonce)?.into_iter();
        Ok(answers.map(|answer| answer.evidence).collect())
    }

    /// What every GPU answers to `nonce`, ready or not.
    pub fn answers(&self, nonce: &GpuNonce) -> Result<Vec<GpuAnswer>, NvmlError> {
        let handles = self.handles()?.into_iter().enumerate();
        handles
            .map(|(index, handle)| self.answer(index, handle, nonce))
            .collect()
    }

    fn answer(
        &self,
        index: usize,
        handle: Handle<'_>,
        nonce: &GpuNonce,
    ) -> Result<GpuAnswer, NvmlError> {
        let told = self.library.attestation_report(handle, nonce);
        let told = told.map_err(|failed| NvmlError::Report(index, failed))?;
        let message = report::message(&told).ok_or(NvmlError::ReportSize(index))?;
        if report::nonce(message) != Some(nonce.0) {
            return Err(NvmlError::Nonce(index));
        }
        let cec_report = report::cec(&told).ok_or(NvmlError::CecReport(index))?;
        let certificate = self.library.certificate(handle);
        let certificate = certificate.map_err(|failed| NvmlError::Certificate(index, failed))?;
        let text = pem::text(&certificate).ok_or(NvmlError::CertificateSize(index))?;
        Ok(GpuAnswer {
            evidence: DeviceEvidence {
                report: message.to_vec(),
                chain: pem::certificates(text).ok_or(NvmlError::CertificateFormat(index))?,
            },
            cec_report: cec_report.map(<[u8]>::to_vec),
        })
    }

    fn is_ready(&self) -> Result<bool, NvmlError> {
        self.library.is_ready().map_err(NvmlError::Ready)
    }

    /// A GPU that came later would compute without evidence.
    fn check_count(&self) -> Result<(), NvmlError> {
        let count = self.library.device_count().map_err(NvmlError::Count)?;
        match count == self.count {
            true => Ok(()),
            false => Err(NvmlError::GpusChanged(count)),
        }
    }

    /// What computes was compared with those of the start.
    fn check_identities(&self) -> Result<(), NvmlError> {
        match GpuIdentities::read(&self.library, self.handles()?)? == self.identities {
            true => Ok(()),
            false => Err(NvmlError::GpusReplaced),
        }
    }

    fn handles(&self) -> Result<Vec<Handle<'_>>, NvmlError> {
        handles(&self.library, self.count)
    }
}

fn handles(library: &Library, count: u32) -> Result<Vec<Handle<'_>>, NvmlError> {
    let handle = |index| {
        let handle = library.device(index);
        handle.map_err(|failed| NvmlError::Device(index as usize, failed))
    };
    (0..count).map(handle).collect()
}

impl From<NvmlError> for EvidenceError {
    fn from(error: NvmlError) -> Self {
        match error {
            NvmlError::Nonce(_) => Self::Mismatch,
            other => Self::Unavailable(format!("{}: {other}", other.code())),
        }
    }
}
