//! One verdict over everything a node offers: CPU evidence, devices, binding, manifest. Only this module makes `Verified<NodeClaims>`.

mod claims;
mod error;
mod sources;
#[cfg(test)]
mod tests;

pub use claims::{Anchors, CpuClaims, NodeClaims};
pub use error::VerifyError;

use crate::{
    Binding, CollateralBundle, CpuEvidence, DeviceEvidence, EvidenceBundle, Manifest, Nonce,
    UnixTime, Verified,
    nvidia::{self, MachineClaims},
    roots::Roots,
    snp, tdx,
};
use sources::Sources;

/// The composite verifier with its anchors and what collateral it has of its own.
#[derive(Clone, Debug)]
pub struct Verifier {
    roots: Roots,
    anchors: Anchors,
    collateral: CollateralBundle,
}

impl Verifier {
    /// A verifier that trusts the vendors' pinned roots and nothing else.
    #[must_use]
    pub fn vendor() -> Self {
        Self {
            roots: Roots::vendor(),
            anchors: Anchors::Vendor,
            collateral: CollateralBundle::default(),
        }
    }

    /// A verifier of invented vendors. Whatever the roots are, its verdicts say `Custom`.
    pub(crate) fn custom(roots: Roots) -> Self {
        Self {
            roots,
            anchors: Anchors::Custom,
            collateral: CollateralBundle::default(),
        }
    }

    /// The same with collateral of its own, which goes before what evidence brings.
    #[must_use]
    pub fn with_collateral(self, collateral: CollateralBundle) -> Self {
        Self { collateral, ..self }
    }

    /// Verifies `bundle` at `now`. With `nonce`, evidence that does not answer it is refused (`freshness.nonce`).
    ///
    /// `bundle.key_configs` is not looked at: it is for whoever holds the identity key that this proves.
    pub fn verify(
        &self,
        bundle: &EvidenceBundle,
        nonce: Option<&Nonce>,
        now: UnixTime,
    ) -> Result<Verified<NodeClaims>, VerifyError> {
        let collateral = Sources::of(&self.collateral, bundle)?;
        let cpu = self.verify_cpu(&bundle.cpu, &collateral, now)?;
        let manifest = Manifest::from_cbor(&bundle.manifest)?;
        let binding = bundle.binding();
        let report_data = binding.report_data();
        if *cpu.report_data() != report_data.0 {
            return Err(VerifyError::ReportData);
        }
        check_nonce(bundle, nonce)?;
        let devices = self.verify_devices(bundle, &binding, &collateral, now)?;
        let device_ends = devices.iter().flat_map(|machine| &machine.devices);
        let device_ends = device_ends.map(|device| device.window.not_after);
        let claims = NodeClaims {
            not_after: device_ends.fold(cpu.not_after(), UnixTime::min),
            cpu,
            devices,
            anchors: self.anchors,
            identity: bundle.identity,
            manifest,
            manifest_digest: binding.manifest,
            binding_id: report_data.binding_id(),
            nonce: nonce.copied(),
        };
        Ok(Verified::new(claims, now))
    }

    fn verify_cpu(
        &self,
        evidence: &CpuEvidence,
        collateral: &Sources<'_>,
        now: UnixTime,
    ) -> Result<CpuClaims, VerifyError> {
        Ok(match evidence {
            CpuEvidence::Snp(snp) => {
                let crls = collateral.snp_lists(&snp.vek, &self.roots.snp);
                let claims = snp::verify_cpu(snp, &crls, &self.roots.snp, now)?;
                CpuClaims::Snp(Box::new(claims))
            }
            CpuEvidence::Tdx(tdx) => {
                let evidence = tdx::Evidence {
                    quote: &tdx.quote,
                    event_log: tdx.event_log.as_deref(),
                };
                let collateral = collateral.tdx(&tdx.quote, now);
                let claims = tdx::verify(&evidence, collateral, &self.roots.tdx, now)?;
                CpuClaims::Tdx(Box::new(claims))
            }
        })
    }

    fn verify_devices(
        &self,
        bundle: &EvidenceBundle,
        binding: &Binding,
        collateral: &Sources<'_>,
        now: UnixTime,
    ) -> Result<Option<MachineClaims>, VerifyError> {
        if bundle.devices.is_empty() {
            return Ok(None);
        }
        let chains: Vec<Vec<&[u8]>> = bundle.devices.iter().map(chain).collect();
        let devices = bundle.devices.iter().zip(&chains);
        let evidence: Vec<nvidia::Evidence<'_>> = devices
            .map(|(device, chain)| nvidia::Evidence {
                report: &device.report,
                chain,
            })
            .collect();
        let nonce = binding.gpu_nonce();
        let references = collateral.nvidia();
        let roots = &self.roots.nvidia;
        Ok(Some(nvidia::verify_all(
            &evidence,
            &references,
            Some(&nonce.0),
            roots,
            now,
        )?))
    }
}

fn chain(device: &DeviceEvidence) -> Vec<&[u8]> {
    device.chain.iter().map(Vec::as_slice).collect()
}

impl EvidenceBundle {
    /// What report_data must be the hash of.
    #[must_use]
    pub fn binding(&self) -> Binding {
        Binding {
            freshness: self.freshness,
            identity: self.identity.digest(),
            manifest: Manifest::digest(&self.manifest),
            devices: self.devices.iter().map(DeviceEvidence::digest).collect(),
        }
    }
}

/// That the freshness in report_data covers `nonce`, where one is demanded.
fn check_nonce(bundle: &EvidenceBundle, nonce: Option<&Nonce>) -> Result<(), VerifyError> {
    let Some(nonce) = nonce else {
        return Ok(());
    };
    let path = bundle.nonce_path.as_ref().ok_or(VerifyError::Nonce)?;
    let is_answered = bundle.freshness.includes(nonce, path);
    is_answered.then_some(()).ok_or(VerifyError::Nonce)
}
