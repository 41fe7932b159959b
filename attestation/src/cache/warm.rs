//! Verdicts on what is kept. `None` is no verdict: whoever asked verifies cold and tells that refusal.

use super::{Cache, key};
use crate::{
    Digest, SnpEvidence, UnixTime,
    nvidia::{self, MachineClaims, VerifiedDevice, VerifiedReferences},
    roots::Roots,
    snp::{SnpClaims, VerifiedVek},
    tdx::{self, TdxClaims, VerifiedCollateral, VerifiedPck, VerifiedQe},
};
use std::sync::Arc;

/// A cache in the hands of one verifier, at one time.
pub(crate) struct Warm<'a> {
    pub(crate) cache: &'a mut Cache,
    pub(crate) roots: &'a Roots,
    /// Names the roots.
    pub(crate) roots_digest: &'a Digest,
    pub(crate) now: UnixTime,
}

impl Warm<'_> {
    /// Costs one signature once the VEK is kept.
    pub(crate) fn snp(&mut self, evidence: &SnpEvidence, crls: &[&[u8]]) -> Option<SnpClaims> {
        let chain: Vec<&[u8]> = evidence.chain.iter().map(Vec::as_slice).collect();
        let key = key::vek(self.roots_digest, &evidence.vek, &chain, crls);
        let verify = || VerifiedVek::verify(&evidence.vek, &chain, crls, &self.roots.snp, self.now);
        let vek = self.cache.veks.get_or(&key, self.now, || verify().ok())?;
        let claims = vek.appraise(&evidence.report, self.now).ok()?;
        self.cache.veks.keep(key, vek.window(), vek);
        Some(claims)
    }

    /// Costs one signature once the quoting enclave is kept, three on its first quote under kept collateral.
    pub(crate) fn tdx(
        &mut self,
        evidence: &tdx::Evidence<'_>,
        collateral: &tdx::Collateral,
    ) -> Option<TdxClaims> {
        let key = key::tdx_collateral(self.roots_digest, collateral);
        let verify = || VerifiedCollateral::verify(collateral, &self.roots.tdx, self.now).ok();
        let documents = &mut self.cache.tdx_collateral;
        let collateral = documents.get_or(&key, self.now, verify)?;

        let pck_chain = tdx::chain_in_quote(evidence.quote).ok()?;
        let enclave_key = key::enclave(&key, pck_chain);
        let enclave = self.enclave(&enclave_key, evidence.quote, &collateral)?;
        let claims = enclave.appraise(evidence, &collateral, self.now).ok()?;

        let documents = &mut self.cache.tdx_collateral;
        documents.keep(key, collateral.window(), collateral);
        let enclaves = &mut self.cache.enclaves;
        enclaves.keep(enclave_key, enclave.pck().window(), enclave);
        Some(claims)
    }

    /// The platform's quoting enclave; verified anew when it made itself another key.
    fn enclave(
        &mut self,
        key: &Digest,
        quote: &[u8],
        collateral: &VerifiedCollateral,
    ) -> Option<Arc<VerifiedQe>> {
        let kept = self.cache.enclaves.get(key, self.now);
        let pck = match kept {
            Some(enclave) if enclave.is_of(quote) => return Some(enclave),
            Some(other) => other.pck().clone(),
            None => VerifiedPck::verify(quote, collateral, self.now).ok()?,
        };
        let enclave = VerifiedQe::verify(quote, &pck, self.now).ok()?;
        Some(Arc::new(enclave))
    }

    /// Costs one signature for each device once they and the manifests are kept.
    pub(crate) fn devices(
        &mut self,
        evidence: &[nvidia::Evidence<'_>],
        references: &nvidia::References,
        nonce: &[u8; 32],
    ) -> Option<MachineClaims> {
        let key = key::references(self.roots_digest, references);
        let verify = || VerifiedReferences::verify(references, &self.roots.nvidia, self.now).ok();
        let manifests = self.cache.references.get_or(&key, self.now, verify)?;
        let devices = self.chains(evidence, references)?;

        let reports = devices.iter().zip(evidence);
        let reports = reports.map(|((_, device), one)| (device.as_ref(), one.report));
        let reports: Vec<(&VerifiedDevice, &[u8])> = reports.collect();
        let claims = nvidia::appraise_all(&reports, &manifests, nonce, self.now).ok()?;

        let sets = &mut self.cache.references;
        sets.keep(key, manifests.window(), manifests);
        for (key, device) in devices {
            self.cache.devices.keep(key, device.window(), device);
        }
        Some(claims)
    }

    /// Each device's chain under its key.
    fn chains(
        &mut self,
        evidence: &[nvidia::Evidence<'_>],
        references: &nvidia::References,
    ) -> Option<Vec<(Digest, Arc<VerifiedDevice>)>> {
        let responses = key::responses(references);
        let (roots, now) = (&self.roots.nvidia, self.now);
        let device = |one: &nvidia::Evidence<'_>| {
            let key = key::device(self.roots_digest, one.chain, &responses);
            let verify = || VerifiedDevice::verify(one.chain, references, roots, now).ok();
            let device = self.cache.devices.get_or(&key, now, verify)?;
            Some((key, device))
        };
        evidence.iter().map(device).collect()
    }
}
