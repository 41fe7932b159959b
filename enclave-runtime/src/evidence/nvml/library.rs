//! The library itself, opened at run time: the only code that calls it, and all of the unsafe code about it.
//!
//! What is not filled in refuses: every field starts as its most suspicious value. Sizes are handed out as told; whoever cuts a buffer by
//! one checks it first.
#![expect(
    unsafe_code,
    reason = "a C library that is loaded at run time: one call for each function here"
)]

use super::{NvmlError, call::CallError, call::Return};
use attestation::GpuNonce;
use nvml_wrapper_sys::bindings::{
    NVML_CC_ACCEPTING_CLIENT_REQUESTS_FALSE, NVML_CC_ACCEPTING_CLIENT_REQUESTS_TRUE,
    NVML_CC_CEC_ATTESTATION_REPORT_NOT_PRESENT, NVML_CC_SYSTEM_DEVTOOLS_MODE_ON,
    NVML_CC_SYSTEM_ENVIRONMENT_UNAVAILABLE, NVML_CC_SYSTEM_FEATURE_DISABLED,
    NVML_DEVICE_UUID_V2_BUFFER_SIZE, NvmlLib, nvmlDevice_t, nvmlReturn_enum_NVML_SUCCESS,
    nvmlReturn_t, nvmlSystemConfComputeSettings_t,
};
pub(super) use nvml_wrapper_sys::bindings::{
    nvmlConfComputeGpuAttestationReport_t as AttestationReport,
    nvmlConfComputeGpuCertificate_t as Certificate, nvmlConfComputeSystemState_t as State,
    nvmlSystemConfComputeSettings_t as Settings,
};
use std::{
    ffi::{c_char, c_uint},
    marker::PhantomData,
    path::Path,
    ptr,
};

/// The opened library; shut down on drop.
pub(super) struct Library {
    symbols: NvmlLib,
}

/// One GPU of an opened library.
#[derive(Clone, Copy)]
pub(super) struct Handle<'a> {
    device: nvmlDevice_t,
    library: PhantomData<&'a Library>,
}

/// A function of the library by its name.
macro_rules! function {
    ($symbols:expr, $name:ident) => {
        symbol(&$symbols.$name, stringify!($name))
    };
}

/// Longest version that the library writes, with its terminator.
pub(super) const VERSION_BYTES: usize = 80;
/// Longest UUID that the library writes, with its terminator.
pub(super) const UUID_BYTES: usize = NVML_DEVICE_UUID_V2_BUFFER_SIZE as usize;

impl Library {
    /// Loads and initialises the library at `path`, a name that the loader looks up or a path.
    pub(super) fn open(path: &Path) -> Result<Self, NvmlError> {
        // SAFETY: loading runs the library's initialisers. It is part of the driver, measured with the guest's file system as this
        // program is, and whoever can change it can change this program.
        let symbols = unsafe { NvmlLib::new(path) };
        let symbols = symbols.map_err(|error| NvmlError::Absent(error.to_string()))?;
        let init = function!(symbols, nvmlInit_v2).map_err(NvmlError::Init)?;
        // SAFETY: takes nothing; may be called from any thread and any number of times.
        done(unsafe { init() }).map_err(NvmlError::Init)?;
        Ok(Self { symbols })
    }

    /// nvmlSystemGetConfComputeState.
    pub(super) fn state(&self) -> Result<State, CallError> {
        let ask = function!(self.symbols, nvmlSystemGetConfComputeState)?;
        let mut state = State {
            environment: NVML_CC_SYSTEM_ENVIRONMENT_UNAVAILABLE,
            ccFeature: NVML_CC_SYSTEM_FEATURE_DISABLED,
            devToolsMode: NVML_CC_SYSTEM_DEVTOOLS_MODE_ON,
        };
        // SAFETY: the library writes the struct, whose layout is NVIDIA's, and keeps no pointer to it.
        done(unsafe { ask(&raw mut state) })?;
        Ok(state)
    }

    /// nvmlSystemGetConfComputeSettings, version 1.
    pub(super) fn settings(&self) -> Result<Settings, CallError> {
        let ask = function!(self.symbols, nvmlSystemGetConfComputeSettings)?;
        let mut settings = Settings {
            version: settings_version(),
            environment: NVML_CC_SYSTEM_ENVIRONMENT_UNAVAILABLE,
            ccFeature: NVML_CC_SYSTEM_FEATURE_DISABLED,
            devToolsMode: NVML_CC_SYSTEM_DEVTOOLS_MODE_ON,
            multiGpuMode: c_uint::MAX,
        };
        // SAFETY: as in `state`; the version says the struct's size.
        done(unsafe { ask(&raw mut settings) })?;
        Ok(settings)
    }

    /// nvmlSystemGetConfComputeGpusReadyState.
    pub(super) fn is_ready(&self) -> Result<bool, CallError> {
        let ask = function!(self.symbols, nvmlSystemGetConfComputeGpusReadyState)?;
        let mut state = NVML_CC_ACCEPTING_CLIENT_REQUESTS_FALSE;
        // SAFETY: the library writes one integer and keeps no pointer to it.
        done(unsafe { ask(&raw mut state) })?;
        Ok(state == NVML_CC_ACCEPTING_CLIENT_REQUESTS_TRUE)
    }

    /// nvmlSystemSetConfComputeGpusReadyState, to accepting work.
    pub(super) fn set_ready(&self) -> Result<(), CallError> {
        let ask = function!(self.symbols, nvmlSystemSetConfComputeGpusReadyState)?;
        // SAFETY: takes one integer.
        done(unsafe { ask(NVML_CC_ACCEPTING_CLIENT_REQUESTS_TRUE) })
    }

    /// nvmlSystemGetDriverVersion: text with its terminator, and whatever is behind it.
    pub(super) fn driver_version(&self) -> Result<[u8; VERSION_BYTES], CallError> {
        let ask = function!(self.symbols, nvmlSystemGetDriverVersion)?;
        // SAFETY: the library writes at most as many bytes as it is told, which is what the buffer has.
        text(|bytes, length| unsafe { ask(bytes, length) })
    }

    /// nvmlSystemGetCudaDriverVersion_v2: 1000 * major + 10 * minor.
    pub(super) fn cuda_driver_version(&self) -> Result<i32, CallError> {
        let ask = function!(self.symbols, nvmlSystemGetCudaDriverVersion_v2)?;
        let mut version = 0;
        // SAFETY: the library writes one integer and keeps no pointer to it.
        done(unsafe { ask(&raw mut version) })?;
        Ok(version)
    }

    /// nvmlDeviceGetCount_v2.
    pub(super) fn device_count(&self) -> Result<u32, CallError> {
        let ask = function!(self.symbols, nvmlDeviceGetCount_v2)?;
        let mut count = 0;
        // SAFETY: the library writes one integer and keeps no pointer to it.
        done(unsafe { ask(&raw mut count) })?;
        Ok(count)
    }

    /// nvmlDeviceGetHandleByIndex_v2.
    pub(super) fn device(&self, index: u32) -> Result<Handle<'_>, CallError> {
        let ask = function!(self.symbols, nvmlDeviceGetHandleByIndex_v2)?;
        let mut device = ptr::null_mut();
        // SAFETY: the library writes one handle, which it alone looks into, and keeps no pointer to it.
        done(unsafe { ask(index, &raw mut device) })?;
        Ok(Handle {
            device,
            library: PhantomData,
        })
    }

    /// nvmlDeviceGetUUID: text with its terminator, and whatever is behind it.
    pub(super) fn uuid(&self, handle: Handle<'_>) -> Result<[u8; UUID_BYTES], CallError> {
        let ask = function!(self.symbols, nvmlDeviceGetUUID)?;
        // SAFETY: as in `driver_version`; the handle is this library's, which is open.
        text(|bytes, length| unsafe { ask(handle.device, bytes, length) })
    }

    /// nvmlDeviceGetVbiosVersion: text with its terminator, and whatever is behind it.
    pub(super) fn vbios_version(
        &self,
        handle: Handle<'_>,
    ) -> Result<[u8; VERSION_BYTES], CallError> {
        let ask = function!(self.symbols, nvmlDeviceGetVbiosVersion)?;
        // SAFETY: as in `driver_version`; the handle is this library's, which is open.
        text(|bytes, length| unsafe { ask(handle.device, bytes, length) })
    }

    /// nvmlDeviceGetConfComputeGpuAttestationReport over `nonce`.
    pub(super) fn attestation_report(
        &self,
        handle: Handle<'_>,
        nonce: &GpuNonce,
    ) -> Result<Box<AttestationReport>, CallError> {
        let ask = function!(self.symbols, nvmlDeviceGetConfComputeGpuAttestationReport)?;
        let mut report = Box::new(AttestationReport {
            isCecAttestationReportPresent: NVML_CC_CEC_ATTESTATION_REPORT_NOT_PRESENT,
            attestationReportSize: 0,
            cecAttestationReportSize: 0,
            nonce: nonce.0,
            attestationReport: [0; 8192],
            cecAttestationReport: [0; 4096],
        });
        // SAFETY: the library reads and writes the struct, whose layout is NVIDIA's, and keeps no pointer to it; the handle is its own.
        done(unsafe { ask(handle.device, &raw mut *report) })?;
        Ok(report)
    }

    /// nvmlDeviceGetConfComputeGpuCertificate.
    pub(super) fn certificate(&self, handle: Handle<'_>) -> Result<Box<Certificate>, CallError> {
        let ask = function!(self.symbols, nvmlDeviceGetConfComputeGpuCertificate)?;
        let mut certificate = Box::new(Certificate {
            certChainSize: 0,
            attestationCertChainSize: 0,
            certChain: [0; 4096],
            attestationCertChain: [0; 5120],
        });
        // SAFETY: as in `attestation_report`.
        done(unsafe { ask(handle.device, &raw mut *certificate) })?;
        Ok(certificate)
    }
}

impl Drop for Library {
    fn drop(&mut self) {
        if let Ok(shutdown) = function!(self.symbols, nvmlShutdown) {
            // SAFETY: takes nothing, and no handle outlives the library. A library that cannot be shut down is unloaded all the same.
            let _ = unsafe { shutdown() };
        }
    }
}

/// NVML_STRUCT_VERSION: the struct's size, and 1 in the highest byte.
const fn settings_version() -> c_uint {
    size_of::<nvmlSystemConfComputeSettings_t>() as c_uint | (1 << 24)
}

fn symbol<F: Copy, E>(found: &Result<F, E>, name: &'static str) -> Result<F, CallError> {
    found.as_ref().copied().map_err(|_| CallError::Symbol(name))
}

const fn done(code: nvmlReturn_t) -> Result<(), CallError> {
    if code == nvmlReturn_enum_NVML_SUCCESS {
        Ok(())
    } else {
        Err(CallError::Return(Return(code)))
    }
}

/// What `ask` writes to a buffer of the length that it is told.
fn text<const BYTES: usize>(
    ask: impl FnOnce(*mut c_char, c_uint) -> nvmlReturn_t,
) -> Result<[u8; BYTES], CallError> {
    let mut bytes = [0_u8; BYTES];
    done(ask(bytes.as_mut_ptr().cast(), BYTES as c_uint))?;
    Ok(bytes)
}
