//! One verification under way: the parts' verdicts, from what is kept or cold.

use super::{CpuClaims, VerifyError, sources::Sources};
use crate::{
    CpuEvidence, DeviceEvidence, GpuNonce, SnpEvidence, TdxEvidence, UnixTime,
    cache::Warm,
    nvidia::{self, MachineClaims},
    roots::Roots,
    snp::{self, SnpClaims},
    tdx::{self, TdxClaims},
};

/// What the parts are judged with. What is kept only ever answers with an acceptance; every refusal is the cold one.
pub(super) struct Verification<'a> {
    pub(super) roots: &'a Roots,
    pub(super) sources: Sources<'a>,
    pub(super) warm: Option<Warm<'a>>,
    pub(super) now: UnixTime,
}

impl Verification<'_> {
    pub(super) fn cpu(&mut self, evidence: &CpuEvidence) -> Result<CpuClaims, VerifyError> {
        Ok(match evidence {
            CpuEvidence::Snp(snp) => CpuClaims::Snp(Box::new(self.snp(snp)?)),
            CpuEvidence::Tdx(tdx) => CpuClaims::Tdx(Box::new(self.tdx(tdx)?)),
        })
    }

    fn snp(&mut self, evidence: &SnpEvidence) -> Result<SnpClaims, VerifyError> {
        let roots = &self.roots.snp;
        let crls = self.sources.snp_lists(&evidence.vek, roots);
        let warm = self.warm.as_mut();
        if let Some(claims) = warm.and_then(|warm| warm.snp(evidence, &crls)) {
            return Ok(claims);
        }
        Ok(snp::verify_cpu(evidence, &crls, roots, self.now)?)
    }

    fn tdx(&mut self, evidence: &TdxEvidence) -> Result<TdxClaims, VerifyError> {
        let collateral = self.sources.tdx(&evidence.quote, self.now);
        let evidence = tdx::Evidence {
            quote: &evidence.quote,
            event_log: evidence.event_log.as_deref(),
        };
        if let (Some(warm), Some(collateral)) = (&mut self.warm, collateral)
            && let Some(claims) = warm.tdx(&evidence, collateral)
        {
            return Ok(claims);
        }
        let roots = &self.roots.tdx;
        Ok(tdx::verify(&evidence, collateral, roots, self.now)?)
    }

    /// `None` on a node without any.
    pub(super) fn devices(
        &mut self,
        devices: &[DeviceEvidence],
        nonce: &GpuNonce,
    ) -> Result<Option<MachineClaims>, VerifyError> {
        if devices.is_empty() {
            return Ok(None);
        }
        let chains: Vec<Vec<&[u8]>> = devices.iter().map(chain).collect();
        let with_chains = devices.iter().zip(&chains);
        let evidence: Vec<nvidia::Evidence<'_>> = with_chains
            .map(|(device, chain)| nvidia::Evidence {
                report: &device.report,
                chain,
            })
            .collect();
        self.machine(&evidence, &nonce.0).map(Some)
    }

    fn machine(
        &mut self,
        evidence: &[nvidia::Evidence<'_>],
        nonce: &[u8; 32],
    ) -> Result<MachineClaims, VerifyError> {
        let references = self.sources.nvidia();
        let warm = self.warm.as_mut();
        if let Some(claims) = warm.and_then(|warm| warm.devices(evidence, &references, nonce)) {
            return Ok(claims);
        }
        let (roots, now) = (&self.roots.nvidia, self.now);
        let cold = nvidia::verify_all(evidence, &references, Some(nonce), roots, now);
        Ok(cold?)
    }
}

fn chain(device: &DeviceEvidence) -> Vec<&[u8]> {
    device.chain.iter().map(Vec::as_slice).collect()
}
