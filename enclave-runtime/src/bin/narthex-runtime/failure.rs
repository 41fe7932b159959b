//! Why the runtime did not start, or could not go on.

use attestation::EvidenceError;
use enclave_runtime::{
    ConfigError, HardenError, StartError, evidence::NvmlError, model_key::ModelKeyError,
    sealed::SealedError,
};
use engine::local::LoadError;
use gpu::{DeviceError, SelfTestError};
use std::{io, net::SocketAddr, process::ExitCode};
use upstream::UpstreamError;

/// Exit status for a mistake of whoever started the process.
const USAGE: u8 = 2;

/// In the order of the steps; `code()` is stable.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Failure {
    /// The configuration or a file that it names.
    #[error(transparent)]
    Config(#[from] ConfigError),
    /// The device that `engine.device` names is not there, or not one that this program computes on.
    #[error("engine.device: {0}")]
    Device(#[from] DeviceError),
    /// The device that computes is not one that gave evidence.
    #[error("engine.device_index: {0}")]
    Unattested(NvmlError),
    /// The device does not compute as it has to.
    #[error("engine.device: {0}")]
    SelfTest(#[from] SelfTestError),
    /// The process could not be hardened.
    #[error(transparent)]
    Harden(#[from] HardenError),
    /// The model.
    #[error(transparent)]
    Model(#[from] LoadError),
    /// The inference server beside this process.
    #[error(transparent)]
    Upstream(#[from] UpstreamError),
    /// The sealed model.
    #[error(transparent)]
    Sealed(Box<SealedError>),
    /// Its key.
    #[error(transparent)]
    ModelKey(#[from] ModelKeyError),
    /// The thread that asked the platform is gone.
    #[error("asking the platform for evidence broke off")]
    PlatformBrokenOff,
    /// A thread that loaded it is gone.
    #[error("loading the model broke off")]
    ModelBrokenOff,
    /// No evidence, or a name that is none.
    #[error(transparent)]
    Start(#[from] StartError),
    /// No threads.
    #[error("the system gave no threads: {0}")]
    Threads(io::Error),
    /// No signal handlers.
    #[error("the signals that end a runtime could not be taken over: {0}")]
    Signals(io::Error),
    /// The address.
    #[error("cannot listen on {address}: {reason}")]
    Listen {
        /// As configured.
        address: SocketAddr,
        /// What the system said.
        reason: io::Error,
    },
}

impl From<EvidenceError> for Failure {
    fn from(error: EvidenceError) -> Self {
        Self::Start(error.into())
    }
}

impl Failure {
    pub(crate) fn code(&self) -> &'static str {
        match self {
            Self::Config(error) => error.code(),
            Self::Device(error) => error.code(),
            Self::Unattested(error) => error.code(),
            Self::SelfTest(error) => error.code(),
            Self::Harden(error) => error.code(),
            Self::Model(error) => error.code(),
            Self::Upstream(error) => error.code(),
            Self::Sealed(error) => error.code(),
            Self::ModelKey(error) => error.code(),
            Self::PlatformBrokenOff => "start.platform",
            Self::ModelBrokenOff => "start.model",
            Self::Start(error) => error.code(),
            Self::Threads(_) => "start.threads",
            Self::Signals(_) => "start.signals",
            Self::Listen { .. } => "start.listen",
        }
    }

    pub(crate) fn exit_code(&self) -> ExitCode {
        match self {
            Self::Config(_) | Self::Device(_) | Self::Unattested(_) => ExitCode::from(USAGE),
            _ => ExitCode::FAILURE,
        }
    }
}
