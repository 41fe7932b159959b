//! Why a device was refused, or failed.

/// Why a device was refused, or failed, in the order of the steps; `code()` is stable.
///
/// Numbers are `CUresult` values of the CUDA driver API.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum DeviceError {
    /// No `libcuda`.
    #[error("this machine has no CUDA driver: libcuda was not found")]
    NoDriver,
    /// A `libcuda` that lacks a function: too old, or something else of that name.
    #[error("the CUDA driver lacks {0}")]
    DriverFunction(&'static str),
    /// The driver did not start.
    #[error("the CUDA driver did not start (error {0})")]
    Driver(u32),
    /// Not so many devices.
    #[error("there is no CUDA device {index}: the driver knows {devices}")]
    NoDevice {
        /// The one asked for.
        index: usize,
        /// How many there are.
        devices: usize,
    },
    /// The device could not be opened.
    #[error("the CUDA device did not open (error {0})")]
    Open(u32),
    /// Which GPU it is, is not told; 0: zeros were.
    #[error("the driver does not tell which GPU the CUDA device is (error {0})")]
    Uuid(u32),
    /// No kernels were built for it.
    #[error("no kernels were built for devices of compute capability {major}.{minor}")]
    UnsupportedArchitecture {
        /// Of the compute capability.
        major: i32,
        /// Of the compute capability.
        minor: i32,
    },
    /// The driver refused the kernels.
    #[error("the driver refused the kernels (error {0})")]
    Module(u32),
    /// The kernels lack an entry point.
    #[error("the kernels lack {0}")]
    EntryPoint(String),
    /// Other arguments than the entry point has.
    #[error("{0} takes other arguments")]
    Arguments(String),
    /// Not enough memory.
    #[error("the device has no {bytes} bytes of memory to give")]
    OutOfMemory {
        /// How much was asked for.
        bytes: usize,
    },
    /// What was read back is not what was written.
    #[error("the device's memory does not keep what is written to it")]
    Corrupted,
    /// A model that the fast arithmetic has no operations for.
    #[error("the fast arithmetic has no operations for this model: {0}")]
    UnsupportedModel(&'static str),
    /// Memory that the device did not give.
    #[error("memory that the device did not give")]
    ForeignMemory,
    /// A copy, or a wipe, failed.
    #[error("a copy to, from or on the device failed (error {0})")]
    Copy(u32),
    /// A launch failed.
    #[error("a launch failed (error {0})")]
    Launch(u32),
    /// The model has a step for which there is no plan.
    #[error("there is no plan for a step of this model")]
    Plan,
    /// Launches could not be recorded.
    #[error("a step could not be recorded (error {0})")]
    Graph(u32),
    /// What was launched failed.
    #[error("the device failed (error {0})")]
    Execution(u32),
}

impl DeviceError {
    /// Stable code.
    pub fn code(&self) -> &'static str {
        match self {
            Self::NoDriver => "gpu.no_driver",
            Self::DriverFunction(_) => "gpu.driver_function",
            Self::Driver(_) => "gpu.driver",
            Self::NoDevice { .. } => "gpu.no_device",
            Self::Open(_) => "gpu.open",
            Self::Uuid(_) => "gpu.uuid",
            Self::UnsupportedArchitecture { .. } => "gpu.unsupported_architecture",
            Self::Module(_) => "gpu.module",
            Self::EntryPoint(_) => "gpu.entry_point",
            Self::Arguments(_) => "gpu.arguments",
            Self::OutOfMemory { .. } => "gpu.out_of_memory",
            Self::Corrupted => "gpu.corrupted",
            Self::UnsupportedModel(_) => "gpu.unsupported_model",
            Self::ForeignMemory => "gpu.foreign_memory",
            Self::Copy(_) => "gpu.copy",
            Self::Launch(_) => "gpu.launch",
            Self::Plan => "gpu.plan",
            Self::Graph(_) => "gpu.graph",
            Self::Execution(_) => "gpu.execution",
        }
    }
}
