//! Whether there is a driver, and all of it: what is called without having been there would end the process.

use std::ffi::c_void;

use cudarc::driver::sys;

use crate::DeviceError;

/// What is called of `libcuda`.
pub const FUNCTIONS: [&str; 35] = [
    "cuInit",
    "cuDriverGetVersion",
    "cuDeviceGetCount",
    "cuDeviceGet",
    "cuDeviceGetAttribute",
    "cuDeviceGetUuid_v2",
    "cuDevicePrimaryCtxRetain",
    "cuDevicePrimaryCtxRelease_v2",
    "cuCtxGetCurrent",
    "cuCtxSetCurrent",
    "cuCtxSynchronize",
    "cuStreamCreate",
    "cuStreamDestroy_v2",
    "cuStreamSynchronize",
    "cuStreamBeginCapture_v2",
    "cuStreamEndCapture",
    "cuGraphInstantiateWithFlags",
    "cuGraphDestroy",
    "cuGraphExecDestroy",
    "cuGraphUpload",
    "cuGraphLaunch",
    "cuMemAlloc_v2",
    "cuMemFree_v2",
    "cuMemcpyHtoDAsync_v2",
    "cuMemcpyDtoHAsync_v2",
    "cuMemsetD8Async",
    "cuModuleLoadData",
    "cuModuleUnload",
    "cuModuleGetFunction",
    "cuFuncGetParamInfo",
    "cuLaunchKernel",
    "cuGetErrorName",
    "cuGetErrorString",
    "cuEventCreate",
    "cuEventDestroy_v2",
];

/// Checks that `libcuda` is there and has what is called.
pub(super) fn check() -> Result<(), DeviceError> {
    #[expect(unsafe_code, reason = "loads a library")]
    // SAFETY: what runs when a library of the driver's name is loaded is part of the machine's image, as the loader's path is.
    let present = unsafe { sys::is_culib_present() };
    if !present {
        return Err(DeviceError::NoDriver);
    }
    match FUNCTIONS.into_iter().find(|name| !has(name)) {
        Some(lacking) => Err(DeviceError::DriverFunction(lacking)),
        None => Ok(()),
    }
}

fn has(name: &str) -> bool {
    #[expect(unsafe_code, reason = "looks a symbol up")]
    // SAFETY: the library was found a moment ago; the symbol is looked up, and neither read nor called.
    let found = unsafe { sys::culib().get::<*mut c_void>(name.as_bytes()) };
    found.is_ok()
}
