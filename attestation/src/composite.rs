//! One verdict over everything a node offers: CPU evidence, devices, binding, manifest. Only this module makes `Verified<NodeClaims>`.

mod claims;
mod error;
mod sources;
#[cfg(test)]
mod tests;
mod verification;

pub use claims::{Anchors, CpuClaims, NodeClaims};
pub use error::VerifyError;

use crate::{
    Binding, Cache, CollateralBundle, DeviceEvidence, Digest, EvidenceBundle, Manifest, Nonce,
    UnixTime, Verified, cache::Warm, roots::Roots,
};
use sources::Sources;
use verification::Verification;

/// The composite verifier with its anchors and what collateral it has of its own.
#[derive(Clone, Debug)]
pub struct Verifier {
    roots: Roots,
    roots_digest: Digest,
    anchors: Anchors,
    collateral: CollateralBundle,
}

impl Verifier {
    /// A verifier that trusts the vendors' pinned roots and nothing else.
    #[must_use]
    pub fn vendor() -> Self {
        Self::of(Roots::vendor(), Anchors::Vendor)
    }

    /// A verifier of invented vendors. Whatever the roots are, its verdicts say `Custom`.
    pub(crate) fn custom(roots: Roots) -> Self {
        Self::of(roots, Anchors::Custom)
    }

    fn of(roots: Roots, anchors: Anchors) -> Self {
        Self {
            roots_digest: roots.digest(),
            roots,
            anchors,
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
        self.compose(bundle, nonce, now, None)
    }

    /// The verdict of [`Self::verify`]: the same claims, the same refusal. Endorsements in `cache` are not verified again, and those of
    /// evidence that is accepted are kept there; a refusal may cost twice as much.
    pub fn verify_cached(
        &self,
        cache: &mut Cache,
        bundle: &EvidenceBundle,
        nonce: Option<&Nonce>,
        now: UnixTime,
    ) -> Result<Verified<NodeClaims>, VerifyError> {
        self.compose(bundle, nonce, now, Some(cache))
    }

    // R3.2
    fn compose(
        &self,
        bundle: &EvidenceBundle,
        nonce: Option<&Nonce>,
        now: UnixTime,
        cache: Option<&mut Cache>,
    ) -> Result<Verified<NodeClaims>, VerifyError> {
        let mut parts = self.parts(bundle, now, cache)?;
        let cpu = parts.cpu(&bundle.cpu)?;
        let manifest = Manifest::from_cbor(&bundle.manifest)?;
        let binding = bundle.binding();
        let report_data = binding.report_data();
        if *cpu.report_data() != report_data.0 {
            return Err(VerifyError::ReportData);
        }
        check_nonce(bundle, nonce)?;
        let devices = parts.devices(&bundle.devices, &binding.gpu_nonce())?;
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

    fn parts<'a>(
        &'a self,
        bundle: &EvidenceBundle,
        now: UnixTime,
        cache: Option<&'a mut Cache>,
    ) -> Result<Verification<'a>, VerifyError> {
        let warm = cache.map(|cache| Warm {
            cache,
            roots: &self.roots,
            roots_digest: &self.roots_digest,
            now,
        });
        Ok(Verification {
            roots: &self.roots,
            sources: Sources::of(&self.collateral, bundle)?,
            warm,
            now,
        })
    }
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
