//! Why nothing, or nothing more, is measured.

use engine::decoder::DecoderError;
use gpu::DeviceError;

/// In the order of the steps.
#[derive(Debug)]
pub enum Failure {
    /// The device, or its driver.
    Device(DeviceError),
    /// A step of a decoder.
    Decoder(DecoderError),
    /// The device's tokens are not the CPU's: the one that is not.
    Parity(usize),
    /// What a cipher encrypted it did not decrypt.
    Cipher(&'static str),
}

impl Failure {
    /// For people.
    pub fn text(&self) -> String {
        match self {
            Self::Device(DeviceError::NoDriver) => NO_DRIVER.to_owned(),
            Self::Device(error) => format!("{}: {error}", error.code()),
            Self::Decoder(error) => format!("a step failed: {error}"),
            Self::Parity(at) => format!("gpu.parity: token {at} is not the CPU's"),
            Self::Cipher(name) => format!("gpu.cipher: {name} did not decrypt what it encrypted"),
        }
    }

    /// 2: there is no device to measure. 1: there is, and it failed.
    pub const fn exit_status(&self) -> u8 {
        match self {
            Self::Device(
                DeviceError::NoDriver
                | DeviceError::DriverFunction(_)
                | DeviceError::Driver(_)
                | DeviceError::NoDevice { .. }
                | DeviceError::UnsupportedArchitecture { .. },
            ) => 2,
            _ => 1,
        }
    }
}

const NO_DRIVER: &str = "gpu.no_driver: this machine has no CUDA driver (libcuda was not found), so there is nothing to measure. Run this on a machine with an NVIDIA GPU of compute capability 8.x, 9.0 or 10.0 and NVIDIA's driver 580 or later; `nvidia-smi` has to list the GPU";

impl From<DeviceError> for Failure {
    fn from(error: DeviceError) -> Self {
        Self::Device(error)
    }
}

impl From<DecoderError> for Failure {
    fn from(error: DecoderError) -> Self {
        Self::Decoder(error)
    }
}
