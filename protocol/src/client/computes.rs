//! What computes at a node, as its manifest says it and its receipts repeat it.

use crate::{Receipt, ReceiptError, receipt::require};
use attestation::{Digest, Manifest, manifest::GpuKernels};

/// The fields of an admitted manifest that a receipt must repeat.
#[derive(Clone, Debug)]
pub(crate) struct Computes {
    pub(crate) engine: String,
    pub(crate) isa: String,
    pub(crate) kernels_digest: Digest,
    pub(crate) gpu: Option<GpuKernels>,
}

impl Computes {
    pub(super) fn check(&self, receipt: &Receipt) -> Result<(), ReceiptError> {
        require("engine", receipt.engine == self.engine)?;
        require("isa", receipt.isa == self.isa)?;
        let kernels = receipt.kernels_digest == self.kernels_digest;
        require("kernels-digest", kernels)?;
        let cubins = |gpu: Option<GpuKernels>| gpu.map(|gpu| gpu.cubins_digest);
        require("cubins-digest", cubins(receipt.gpu) == cubins(self.gpu))?;
        require("arithmetic", receipt.gpu == self.gpu)
    }
}

impl From<&Manifest> for Computes {
    fn from(manifest: &Manifest) -> Self {
        Self {
            engine: manifest.engine.clone(),
            isa: manifest.isa.clone(),
            kernels_digest: manifest.kernels_digest,
            gpu: manifest.gpu.as_ref().map(|code| code.kernels),
        }
    }
}
