//! The GPU, where one is to compute.

use attestation::manifest::{Arithmetic, GpuCode, GpuKernels, SelfTest};
use enclave_runtime::{
    Config,
    config::ComputeDevice,
    evidence::{GpuIdentities, GpuVersions},
    telemetry,
};
use engine::describe::cubin;
use gpu::{GpuBackend, driver::CudaDevice};

use crate::failure::Failure;

/// A CUDA device that passed its self-test.
pub(crate) type Gpu = GpuBackend<CudaDevice>;

/// Opens and tests the device that `[engine]` names, if it is one of those that gave evidence; none where the CPU computes.
pub(crate) fn open(config: &Config, attested: &GpuIdentities) -> Result<Option<Gpu>, Failure> {
    let settings = &config.engine;
    if config.upstream.is_some() || settings.device == ComputeDevice::Cpu {
        return Ok(None);
    }
    let device = CudaDevice::open(settings.device_index)?;
    attested.check(device.uuid()).map_err(Failure::Unattested)?;
    let driver_version = device.driver_version();
    let arithmetic = match settings.arithmetic {
        Arithmetic::Exact => gpu::Arithmetic::Exact,
        Arithmetic::Fast => gpu::Arithmetic::Fast,
    };
    let gpu = GpuBackend::with(device, arithmetic)?;
    telemetry::tested_device(gpu.architecture(), driver_version, gpu.report().tests);
    Ok(Some(gpu))
}

/// What the manifest says of a device that passed its self-test. Without its evidence the versions are not known, and every policy denies the
/// node.
pub(crate) fn stated(gpu: &Gpu, versions: Option<&GpuVersions>) -> GpuCode {
    let version = |version: Option<&String>| version.cloned().unwrap_or_else(|| "unknown".into());
    GpuCode {
        kernels: GpuKernels {
            cubins_digest: cubin::digest(),
            arithmetic: match gpu.arithmetic() {
                gpu::Arithmetic::Exact => Arithmetic::Exact,
                gpu::Arithmetic::Fast => Arithmetic::Fast,
            },
        },
        device: "cuda".to_owned(),
        architecture: gpu.architecture().to_owned(),
        driver: version(versions.map(|versions| &versions.driver)),
        cuda: version(versions.map(|versions| &versions.cuda)),
        libraries: [].into(),
        self_test: SelfTest::Passed(gpu.report().digest),
    }
}
