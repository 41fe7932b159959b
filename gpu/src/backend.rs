//! A device as what computes a local engine's answers.

use std::sync::Arc;

use engine::{
    local::{Backend, Capacity, LoadError},
    model::Model,
};

use crate::{Device, DeviceError, GpuDecoder, SelfTestError, SelfTestReport, self_test};

/// How a device computes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Arithmetic {
    /// The arithmetic of [`kernels`]: a CPU gives the same bits.
    Exact,
    /// bf16 on tensor cores: other bits than a CPU's.
    Fast,
}

impl Arithmetic {
    /// Its name in manifests and receipts.
    pub const fn mode(self) -> &'static str {
        match self {
            Self::Exact => "cuda/exact",
            Self::Fast => "cuda/fast",
        }
    }
}

/// A device that passed its self-test.
pub struct GpuBackend<D: Device> {
    device: Arc<D>,
    arithmetic: Arithmetic,
    report: SelfTestReport,
}

impl<D: Device> GpuBackend<D> {
    /// Tests every operation of the exact arithmetic on the device.
    pub fn new(device: D) -> Result<Self, SelfTestError> {
        Self::with(device, Arithmetic::Exact)
    }

    /// Tests every operation of an arithmetic on the device.
    pub fn with(device: D, arithmetic: Arithmetic) -> Result<Self, SelfTestError> {
        let device = Arc::new(device);
        let report = self_test::operations(&device, arithmetic)?;
        Ok(Self {
            device,
            arithmetic,
            report,
        })
    }

    pub(crate) fn device(&self) -> &Arc<D> {
        &self.device
    }

    /// For what the device's kernels were built.
    pub fn architecture(&self) -> &'static str {
        self.device.architecture()
    }

    /// How it computes.
    pub fn arithmetic(&self) -> Arithmetic {
        self.arithmetic
    }

    /// What the self-test found.
    pub fn report(&self) -> SelfTestReport {
        self.report
    }
}

impl<D: Device> Backend for GpuBackend<D> {
    type Forward = GpuDecoder<D>;

    /// Loads the model, and tests it: the first tokens' logits have to be a CPU's, bit for bit, or in the fast arithmetic near them and
    /// the same bits again.
    fn start(self, model: &Arc<Model>, capacity: Capacity) -> Result<GpuDecoder<D>, LoadError> {
        let decoder = match self.arithmetic {
            Arithmetic::Exact => GpuDecoder::new(&self.device, model, capacity),
            Arithmetic::Fast => GpuDecoder::fast(&self.device, model, capacity),
        };
        let mut decoder = decoder.map_err(|error| refused(&error))?;
        self_test::model(&mut decoder, model, self.arithmetic).map_err(|error| {
            LoadError::Backend {
                code: error.code(),
                reason: error.to_string(),
            }
        })?;
        Ok(decoder)
    }

    fn mode(&self) -> &'static str {
        self.arithmetic.mode()
    }

    fn isa(&self) -> &'static str {
        self.device.architecture()
    }
}

fn refused(error: &DeviceError) -> LoadError {
    LoadError::Backend {
        code: error.code(),
        reason: error.to_string(),
    }
}
