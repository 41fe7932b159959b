//! What the runtime itself asks of a GPU before any program may use it.

use super::{GpuAnswer, NvmlError};
use attestation::{
    GpuNonce, UnixTime,
    nvidia::{self, Evidence},
    roots::NvidiaRoots,
};

/// A nonce of the runtime's own, and whom the answers must be traced back to.
///
/// It asks whether each GPU is genuine and answers now, from what the GPU hands out alone. Reference values and revocation lists come from
/// elsewhere: those are for whoever admits the node.
pub struct SelfCheck {
    nonce: GpuNonce,
    roots: NvidiaRoots,
    now: UnixTime,
}

impl SelfCheck {
    /// Certificates are judged at `now`; `nonce` must be one that nobody could have known.
    #[must_use]
    pub const fn new(nonce: GpuNonce, roots: NvidiaRoots, now: UnixTime) -> Self {
        Self { nonce, roots, now }
    }

    pub(super) const fn nonce(&self) -> &GpuNonce {
        &self.nonce
    }

    /// Every GPU is genuine, answered this nonce, and was brought up by `driver`.
    pub(super) fn judge(&self, answers: &[GpuAnswer], driver: &str) -> Result<(), NvmlError> {
        for (index, answer) in answers.iter().enumerate() {
            self.judge_one(index, answer, driver)?;
        }
        Ok(())
    }

    fn judge_one(&self, index: usize, answer: &GpuAnswer, driver: &str) -> Result<(), NvmlError> {
        let chain: Vec<&[u8]> = answer.evidence.chain.iter().map(Vec::as_slice).collect();
        let evidence = Evidence {
            report: &answer.evidence.report,
            chain: &chain,
        };
        let nonce = Some(&self.nonce.0);
        let authentic = nvidia::authenticate(&evidence, nonce, &self.roots, self.now)
            .map_err(|error| NvmlError::SelfCheck(index, Box::new(error)))?;
        match authentic.device().driver_version.as_deref() == Some(driver) {
            true => Ok(()),
            false => Err(NvmlError::Driver(index)),
        }
    }
}
