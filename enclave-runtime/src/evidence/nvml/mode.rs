//! Whether the driver says that its GPUs are confidential.

use super::{
    NvmlError,
    call::{CallError, Return},
    library::{Library, Settings, State},
};
use nvml_wrapper_sys::bindings::{
    NVML_CC_SYSTEM_DEVTOOLS_MODE_OFF, NVML_CC_SYSTEM_ENVIRONMENT_PROD,
    NVML_CC_SYSTEM_ENVIRONMENT_SIM, NVML_CC_SYSTEM_ENVIRONMENT_UNAVAILABLE,
    NVML_CC_SYSTEM_FEATURE_ENABLED, NVML_CC_SYSTEM_MULTIGPU_NONE, NVML_CC_SYSTEM_MULTIGPU_NVLE,
    NVML_CC_SYSTEM_MULTIGPU_PROTECTED_PCIE,
};

/// How several GPUs work together. The reports say it too, signed: a policy judges those.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum MultiGpuMode {
    /// Each for itself.
    None,
    /// Protected PCIe: all GPUs and switches of a machine. Evidence of switches is not in NVML: none is given.
    ProtectedPcie,
    /// Encrypted links.
    Nvle,
}

impl MultiGpuMode {
    /// For logs.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::None => "none",
            Self::ProtectedPcie => "protected-pcie",
            Self::Nvle => "nvle",
        }
    }

    const fn of(told: u32) -> Result<Self, NvmlError> {
        match told {
            NVML_CC_SYSTEM_MULTIGPU_NONE => Ok(Self::None),
            NVML_CC_SYSTEM_MULTIGPU_PROTECTED_PCIE => Ok(Self::ProtectedPcie),
            NVML_CC_SYSTEM_MULTIGPU_NVLE => Ok(Self::Nvle),
            unknown => Err(NvmlError::MultiGpu(unknown)),
        }
    }
}

/// Asks both calls that tell the mode: confidential, in production and without development tools by the word of each.
pub(super) fn judge(library: &Library) -> Result<MultiGpuMode, NvmlError> {
    let state = library.state().map_err(refused)?;
    let settings = library.settings().map_err(refused)?;
    confidential(&state, &settings)?;
    production(state.environment)?;
    production(settings.environment)?;
    let tools = [state.devToolsMode, settings.devToolsMode];
    if tools
        .iter()
        .any(|mode| *mode != NVML_CC_SYSTEM_DEVTOOLS_MODE_OFF)
    {
        return Err(NvmlError::Devtools);
    }
    MultiGpuMode::of(settings.multiGpuMode)
}

/// Hardware that knows no confidential computing says that the question is not supported.
fn refused(failed: CallError) -> NvmlError {
    match failed {
        CallError::Return(Return::NOT_SUPPORTED) => NvmlError::CcOff,
        other => NvmlError::Mode(other),
    }
}

/// Protected PCIe is a mode of its own, in which the feature of single GPUs may be off.
const fn confidential(state: &State, settings: &Settings) -> Result<(), NvmlError> {
    let is_on = state.ccFeature == NVML_CC_SYSTEM_FEATURE_ENABLED
        && settings.ccFeature == NVML_CC_SYSTEM_FEATURE_ENABLED;
    if is_on || settings.multiGpuMode == NVML_CC_SYSTEM_MULTIGPU_PROTECTED_PCIE {
        Ok(())
    } else {
        Err(NvmlError::CcOff)
    }
}

const fn production(environment: u32) -> Result<(), NvmlError> {
    match environment {
        NVML_CC_SYSTEM_ENVIRONMENT_PROD => Ok(()),
        NVML_CC_SYSTEM_ENVIRONMENT_SIM => Err(NvmlError::Environment("simulated")),
        NVML_CC_SYSTEM_ENVIRONMENT_UNAVAILABLE => Err(NvmlError::Environment("unavailable")),
        _ => Err(NvmlError::Environment("unknown")),
    }
}
