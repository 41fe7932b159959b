//! Opens a device, step by step.

use std::{ffi::c_char, sync::Arc};

use cudarc::driver::{CudaContext, CudaStream, result, sys};
use kernels::cubin::{self, Cubin};

use super::{CudaDevice, allocation::Allocations, functions::Functions, library, number};
use crate::{DeviceError, DeviceUuid};

impl CudaDevice {
    /// Opens the device of that number, as the driver counts them, and loads the kernels that were built for it.
    pub fn open(index: usize) -> Result<Self, DeviceError> {
        library::check()?;
        result::init().map_err(|error| not_started(&error))?;
        check_index(index)?;
        let context = context(index)?;
        let uuid = uuid(&context)?;
        let cubin = cubin(&context)?;
        let stream = stream(&context)?;
        Ok(Self {
            allocations: Allocations::of(&context),
            functions: Functions::load(&context, cubin.bytes(), cubin::entry_points())?,
            stream,
            architecture: cubin.architecture(),
            driver_version: driver_version(),
            uuid,
        })
    }
}

/// A driver that finds no device says so when it starts.
fn not_started(error: &result::DriverError) -> DeviceError {
    match error.0 {
        sys::CUresult::CUDA_ERROR_NO_DEVICE => DeviceError::NoDevice {
            index: 0,
            devices: 0,
        },
        _ => DeviceError::Driver(number(error)),
    }
}

fn check_index(index: usize) -> Result<(), DeviceError> {
    let devices = result::device::get_count();
    let devices = devices.map_err(|error| DeviceError::Driver(number(&error)))?;
    let devices = usize::try_from(devices).unwrap_or(0);
    match index < devices {
        true => Ok(()),
        false => Err(DeviceError::NoDevice { index, devices }),
    }
}

fn context(index: usize) -> Result<Arc<CudaContext>, DeviceError> {
    let context = CudaContext::new(index);
    let context = context.map_err(|error| DeviceError::Open(number(&error)))?;
    #[expect(unsafe_code, reason = "gives up what is not used")]
    // SAFETY: all that is done happens on one stream: there is nothing to wait for.
    unsafe {
        context.disable_event_tracking();
    }
    Ok(context)
}

fn uuid(context: &CudaContext) -> Result<DeviceUuid, DeviceError> {
    let mut uuid = sys::CUuuid { bytes: [0; 16] };
    #[expect(unsafe_code, reason = "a call of the driver")]
    // SAFETY: it writes 16 bytes.
    let told = unsafe { sys::cuDeviceGetUuid_v2(&raw mut uuid, context.cu_device()) };
    told.result()
        .map_err(|error| DeviceError::Uuid(number(&error)))?;
    DeviceUuid::new(uuid.bytes.map(c_char::cast_unsigned)).ok_or(DeviceError::Uuid(0))
}

fn stream(context: &Arc<CudaContext>) -> Result<Arc<CudaStream>, DeviceError> {
    let stream = context.new_stream();
    stream.map_err(|error| DeviceError::Open(number(&error)))
}

/// The kernels that were built for the device.
fn cubin(context: &CudaContext) -> Result<&'static Cubin, DeviceError> {
    let capability = context.compute_capability();
    let (major, minor) = capability.map_err(|error| DeviceError::Open(number(&error)))?;
    cubin::for_capability(major, minor).ok_or(DeviceError::UnsupportedArchitecture { major, minor })
}

/// 0 where the driver does not tell.
fn driver_version() -> u32 {
    let mut version = 0;
    #[expect(unsafe_code, reason = "a call of the driver")]
    // SAFETY: it writes one integer.
    let told = unsafe { sys::cuDriverGetVersion(&raw mut version) };
    told.result()
        .map_or(0, |()| u32::try_from(version).unwrap_or(0))
}
