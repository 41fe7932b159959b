//! What is asked of a CUDA device beside what a decoder asks: copies within its memory, and what machine it is.

use std::time::Instant;

use cudarc::driver::{CudaContext, DriverError, sys::CUdevice_attribute};
use gpu::{DeviceError, driver::CudaDevice};

use crate::{Copies, Scale};

/// The device that is measured, as the driver counts them.
pub const INDEX: usize = 0;

impl Copies for CudaDevice {
    fn copies(&self, bytes: usize, scale: &Scale) -> Result<Vec<f64>, DeviceError> {
        let failed = |error: DriverError| DeviceError::Copy(error.0 as u32);
        let context = CudaContext::new(INDEX).map_err(failed)?;
        let stream = context.new_stream().map_err(failed)?;
        let from = stream.alloc_zeros::<u8>(bytes).map_err(failed)?;
        let mut to = stream.alloc_zeros::<u8>(bytes).map_err(failed)?;
        let mut round = || {
            stream.synchronize()?;
            let start = Instant::now();
            for _ in 0..scale.rounds.times {
                stream.memcpy_dtod(&from, &mut to)?;
            }
            stream.synchronize()?;
            Ok(start.elapsed().as_secs_f64())
        };
        scale.rounds.each(&mut round).map_err(failed)
    }
}

/// A line about the device; it names the kind, and no piece of hardware.
pub fn machine() -> Result<String, DeviceError> {
    let device = CudaDevice::open(INDEX)?;
    let failed = |error: DriverError| DeviceError::Open(error.0 as u32);
    let context = CudaContext::new(INDEX).map_err(failed)?;
    let version = device.driver_version();
    let mhz = |attribute| context.attribute(attribute).map_or(0, |khz| khz / 1000);
    Ok(format!(
        "device: {}, kernels for {}, driver's CUDA {}.{}, {} MiB, at most {} MHz (memory {} MHz)",
        context.name().map_err(failed)?,
        gpu::Device::architecture(&device),
        version / 1000,
        version % 1000 / 10,
        context.total_mem().map_err(failed)? >> 20,
        mhz(CUdevice_attribute::CU_DEVICE_ATTRIBUTE_CLOCK_RATE),
        mhz(CUdevice_attribute::CU_DEVICE_ATTRIBUTE_MEMORY_CLOCK_RATE),
    ))
}
