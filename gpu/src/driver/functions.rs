//! The entry points of the kernels that were loaded.

use std::{
    collections::BTreeMap,
    ffi::{CString, c_void},
    sync::Arc,
};

use cudarc::driver::{
    CudaContext, CudaStream, result,
    sys::{self, CUfunction, CUmodule, CUresult},
};

use super::number;
use crate::{Argument, DeviceError, Launch, Slot};

/// A loaded module and its entry points.
pub(super) struct Functions {
    context: Arc<CudaContext>,
    module: CUmodule,
    by_name: BTreeMap<&'static str, EntryPoint>,
}

/// An entry point, as the driver knows it.
struct EntryPoint {
    function: CUfunction,
    /// Bytes of each parameter.
    parameters: Vec<usize>,
}

/// Most parameters of an entry point.
const MAX_PARAMETERS: usize = 64;

#[expect(unsafe_code, reason = "handles of the driver")]
// SAFETY: a module and its functions are the context's, not a thread's; each call binds the context to its thread first.
unsafe impl Send for Functions {}
#[expect(unsafe_code, reason = "handles of the driver")]
// SAFETY: as above; the driver's functions that take them may be called from several threads.
unsafe impl Sync for Functions {}

impl Functions {
    /// Loads `cubin`, which was built for the device; the device's context is the thread's.
    pub(super) fn load(
        context: &Arc<CudaContext>,
        cubin: &'static [u8],
        names: impl Iterator<Item = &'static str>,
    ) -> Result<Self, DeviceError> {
        #[expect(unsafe_code, reason = "a call of the driver")]
        // SAFETY: an image of an ELF file tells its own length, and is not written to.
        let module = unsafe { result::module::load_data(cubin.as_ptr().cast()) };
        let module = module.map_err(|error| DeviceError::Module(number(&error)))?;
        let mut functions = Self {
            context: Arc::clone(context),
            module,
            by_name: BTreeMap::new(),
        };
        for name in names {
            functions.by_name.insert(name, functions.function(name)?);
        }
        Ok(functions)
    }

    fn function(&self, name: &'static str) -> Result<EntryPoint, DeviceError> {
        let lacking = || DeviceError::EntryPoint(name.to_owned());
        let terminated = CString::new(name).map_err(|_| lacking())?;
        #[expect(unsafe_code, reason = "a call of the driver")]
        // SAFETY: the module is loaded until `self` is dropped.
        let function = unsafe { result::module::get_function(self.module, terminated) };
        let function = function.map_err(|_| lacking())?;
        let parameters = parameters(function)?;
        Ok(EntryPoint {
            function,
            parameters,
        })
    }

    /// Launches on `stream`, which is of the same context.
    pub(super) fn launch(&self, launch: &Launch, stream: &CudaStream) -> Result<(), DeviceError> {
        let entry = self.by_name.get(launch.entry.as_str());
        let entry = entry.ok_or_else(|| DeviceError::EntryPoint(launch.entry.clone()))?;
        entry.check(launch)?;
        let mut slots = launch.slots();
        let pointer = |slot: &mut Slot| std::ptr::from_mut(slot).cast::<c_void>();
        let mut pointers: Vec<_> = slots.iter_mut().map(pointer).collect();
        let ([x, y, z], [i, j, k]) = (launch.grid, launch.block);
        #[expect(unsafe_code, reason = "a call of the driver")]
        // SAFETY: there are as many arguments as the driver reads, each as large as it reads and in a slot that has room for the
        // largest; it has copied them when the call returns. A kernel reaches the device's memory only, which holds no Rust object.
        let launched = unsafe {
            result::launch_kernel(
                entry.function,
                (x, y, z),
                (i, j, k),
                launch.shared_bytes,
                stream.cu_stream(),
                &mut pointers,
            )
        };
        launched.map_err(|error| DeviceError::Launch(number(&error)))
    }
}

impl EntryPoint {
    /// Whether the driver finds as many arguments as it reads, of their sizes.
    fn check(&self, launch: &Launch) -> Result<(), DeviceError> {
        let given = launch.arguments.iter().map(Argument::bytes);
        match given.eq(self.parameters.iter().copied()) {
            true => Ok(()),
            false => Err(DeviceError::Arguments(launch.entry.clone())),
        }
    }
}

/// Bytes of each parameter of `function`; the driver refuses the index after the last.
fn parameters(function: CUfunction) -> Result<Vec<usize>, DeviceError> {
    let mut all = Vec::new();
    while all.len() <= MAX_PARAMETERS {
        let (mut offset, mut bytes) = (0, 0);
        #[expect(unsafe_code, reason = "a call of the driver")]
        // SAFETY: it writes two numbers; the function's module is loaded.
        let told = unsafe {
            sys::cuFuncGetParamInfo(function, all.len(), &raw mut offset, &raw mut bytes)
        };
        match told {
            CUresult::CUDA_SUCCESS => all.push(bytes),
            CUresult::CUDA_ERROR_INVALID_VALUE => return Ok(all),
            error => return Err(DeviceError::Module(error as u32)),
        }
    }
    Err(DeviceError::Module(
        CUresult::CUDA_ERROR_INVALID_VALUE as u32,
    ))
}

impl Drop for Functions {
    fn drop(&mut self) {
        // A device that failed has nobody left to tell.
        let _ = self.context.bind_to_thread();
        #[expect(unsafe_code, reason = "a call of the driver")]
        // SAFETY: it was loaded here, and nothing is launched from it any more.
        let _ = unsafe { result::module::unload(self.module) };
    }
}
