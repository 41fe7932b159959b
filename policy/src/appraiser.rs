//! Verify, then judge: the one way in, shared by client and gateway.

use crate::{Admitted, Denial, Policy};
use attestation::{Cache, EvidenceBundle, Nonce, UnixTime, Verifier, VerifyError};

/// A verifier and the policy in force.
#[derive(Clone, Debug)]
pub struct Appraiser {
    verifier: Verifier,
    policy: Policy,
}

/// Why a node was not admitted.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Refusal {
    /// The evidence is not authentic or not for this identity, manifest and nonce.
    #[error(transparent)]
    Evidence(#[from] VerifyError),
    /// The evidence is authentic; the policy denies what it says.
    #[error(transparent)]
    Policy(#[from] Denial),
}

impl Appraiser {
    /// Pairs a verifier with a policy.
    #[must_use]
    pub const fn new(verifier: Verifier, policy: Policy) -> Self {
        Self { verifier, policy }
    }

    /// The policy in force.
    #[must_use]
    pub const fn policy(&self) -> &Policy {
        &self.policy
    }

    /// Appraises evidence that must answer `nonce`.
    pub fn appraise(
        &self,
        bundle: &EvidenceBundle,
        nonce: &Nonce,
        now: UnixTime,
    ) -> Result<Admitted, Refusal> {
        let verified = self.verifier.verify(bundle, Some(nonce), now)?;
        Ok(self.policy.evaluate(verified, now)?)
    }

    /// [`Self::appraise`] for those who appraise again and again: the same answer, without verifying again what `cache` keeps.
    pub fn appraise_cached(
        &self,
        cache: &mut Cache,
        bundle: &EvidenceBundle,
        nonce: &Nonce,
        now: UnixTime,
    ) -> Result<Admitted, Refusal> {
        let verified = self
            .verifier
            .verify_cached(cache, bundle, Some(nonce), now)?;
        Ok(self.policy.evaluate(verified, now)?)
    }
}
