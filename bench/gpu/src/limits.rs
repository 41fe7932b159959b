//! What the device can do: copies from its memory to its memory, and products of bf16 matrices on its tensor cores.

use gpu::{Argument, Device, DeviceError, Launch, Memory};

use crate::{Report, Scale};

/// A device that copies within its memory; a decoder needs no such copies.
pub trait Copies {
    /// Seconds of each of several rounds, the first of which warms up, of copying `bytes` bytes `times` times, from an idle device to an idle
    /// device.
    fn copies(&self, bytes: usize, scale: &Scale) -> Result<Vec<f64>, DeviceError>;
}

/// Rates of the fastest rounds.
pub(crate) struct Limits {
    /// Read and written, in bytes per second.
    pub(crate) copied: f64,
    /// Multiplications and additions per second, of our own product.
    pub(crate) multiplied: f64,
}

pub(crate) fn measure<D: Device + Copies>(
    device: &D,
    scale: &Scale,
) -> Result<Limits, DeviceError> {
    let seconds = crate::rounds::least(&device.copies(scale.copy_bytes, scale)?);
    let copied = (2 * scale.copy_bytes * scale.rounds.times) as f64 / seconds;
    Ok(Limits {
        copied,
        multiplied: products(device, scale)?,
    })
}

impl Limits {
    pub(crate) fn tell(&self, report: &mut Report) {
        report.rate("copy_limit", self.copied / 1e9, "GB/s read and written");
        report.rate(
            "matrix",
            self.multiplied / 1e12,
            "TFLOP/s, bf16, our own product",
        );
        for (name, unit) in [("copy_limit", 1e9), ("matrix", 1e12)] {
            if let Some(rate) = report.peer(name) {
                report.rate(&format!("{name}.pytorch"), rate / unit, "the same, PyTorch");
            }
        }
        report.beside("matrix", self.multiplied);
    }

    /// What copies reach at most: ours or PyTorch's.
    pub(crate) fn copies(&self, report: &Report) -> f64 {
        self.copied.max(report.peer("copy_limit").unwrap_or(0.0))
    }

    /// What products reach at most: ours or PyTorch's.
    pub(crate) fn products(&self, report: &Report) -> f64 {
        self.multiplied.max(report.peer("matrix").unwrap_or(0.0))
    }
}

/// Multiplications and additions per second of square matrices of noise: zeros would spare power, and be faster.
fn products<D: Device>(device: &D, scale: &Scale) -> Result<f64, DeviceError> {
    let size = scale.matrix;
    let weights = noise(device, size * size)?;
    let activations = noise(device, size * size)?;
    let out = device.allocate(4 * size * size)?;
    let launch = product([weights, activations, out], size as u32);
    let seconds = scale.rounds.launches(device, &[launch], out)?;
    Ok(2.0 * (size as f64).powi(3) / seconds)
}

fn product(memory: [Memory; 3], size: u32) -> Launch {
    let tiles = size.div_ceil(128);
    let memory = memory.map(Argument::Memory);
    let numbers = [size, size, size, size, 0].map(Argument::U32);
    Launch {
        entry: "fast_gemm_x128".to_owned(),
        grid: [tiles, tiles, 1],
        block: [256, 1, 1],
        shared_bytes: 0,
        arguments: [memory.as_slice(), &numbers].concat(),
    }
}

/// bf16 values between 0.5 and 2 of either sign.
fn noise<D: Device>(device: &D, values: usize) -> Result<Memory, DeviceError> {
    let memory = device.allocate(2 * values)?;
    let mut state = 0x9e37_79b9_u32;
    let mut value = || {
        // Marsaglia's xorshift.
        state ^= state << 13;
        state ^= state >> 17;
        state ^= state << 5;
        (state as u16 & 0x80ff | 0x3f00).to_le_bytes()
    };
    let bytes: Vec<u8> = (0..values).flat_map(|_| value()).collect();
    device.upload(memory, &bytes)?;
    Ok(memory)
}
