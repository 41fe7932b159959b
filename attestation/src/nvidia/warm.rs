//! Verdicts on one device again and again: what outlives a report is verified once.

use super::{
    DeviceClaims, MachineClaims, NvidiaError, References, VerifiedDeviceChain, VerifiedReferences,
    appraise::appraise,
    revocation::{Responses, Revocation},
    topology,
};
use crate::{UnixTime, Window, roots::NvidiaRoots};

/// A device's chain with what is known of its revocation. With [`VerifiedReferences`], each further report costs one signature.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct VerifiedDevice {
    chain: VerifiedDeviceChain,
    revocation: Revocation,
}

impl VerifiedDevice {
    /// Verifies `chain` (DER, leaf first; the root may stand at the end) and the OCSP responses about it at `now`.
    pub fn verify(
        chain: &[&[u8]],
        references: &References,
        roots: &NvidiaRoots,
        now: UnixTime,
    ) -> Result<Self, NvidiaError> {
        let responses = Responses::parse(&references.ocsp)?;
        let (chain, revocation) = VerifiedDeviceChain::verify_with(chain, &responses, roots, now)?;
        Ok(Self { chain, revocation })
    }

    /// When it may be used: chain and responses all hold.
    #[must_use]
    pub fn window(&self) -> Window {
        self.chain.window().meet(self.revocation.window)
    }

    /// The verdict of [`super::verify`] on another report of this device; refuses outside the windows of what was verified before.
    pub fn appraise(
        &self,
        report: &[u8],
        references: &VerifiedReferences,
        nonce: Option<&[u8; 32]>,
        now: UnixTime,
    ) -> Result<DeviceClaims, NvidiaError> {
        let authentic = self.chain.authenticate(report, nonce, now)?;
        appraise(&authentic, &self.revocation, references, now)
    }
}

/// The claims of [`super::verify_all`] on further reports of a machine's devices, each beside its device: one signature each.
///
/// A refusal is the first one found, not the gravest. Outside the windows of the devices and of the manifests they need it refuses;
/// manifests that no device needs are not looked at again.
pub fn appraise_all(
    reports: &[(&VerifiedDevice, &[u8])],
    references: &VerifiedReferences,
    nonce: &[u8; 32],
    now: UnixTime,
) -> Result<MachineClaims, NvidiaError> {
    let authentic = reports.iter().map(|(device, report)| {
        let chain = &device.chain;
        chain.authenticate(report, Some(nonce), now)
    });
    let authentic = authentic.collect::<Result<Vec<_>, _>>()?;
    let topology = topology::check(&authentic)?;
    let devices = reports.iter().zip(&authentic);
    let devices = devices
        .map(|((device, _), authentic)| appraise(authentic, &device.revocation, references, now))
        .collect::<Result<_, _>>()?;
    Ok(MachineClaims { devices, topology })
}
