//! Verify, then judge: the one way in, shared by client and gateway.

use crate::{Admitted, Denial, InForce, Policy};
use attestation::{Cache, EvidenceBundle, Nonce, UnixTime, Verifier, VerifyError};

/// A verifier and what is in force.
#[derive(Clone, Debug)]
pub struct Appraiser {
    verifier: Verifier,
    in_force: InForce,
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
    /// Pairs a verifier with a policy, or with a policy and what stands beside it.
    #[must_use]
    pub fn new(verifier: Verifier, in_force: impl Into<InForce>) -> Self {
        let in_force = in_force.into();
        Self { verifier, in_force }
    }

    /// The same verifier under other documents.
    #[must_use]
    pub fn under(&self, in_force: InForce) -> Self {
        let verifier = self.verifier.clone();
        Self { verifier, in_force }
    }

    /// What is in force.
    #[must_use]
    pub const fn in_force(&self) -> &InForce {
        &self.in_force
    }

    /// The policy in force.
    #[must_use]
    pub const fn policy(&self) -> &Policy {
        self.in_force.policy()
    }

    /// Appraises evidence that must answer `nonce`.
    pub fn appraise(
        &self,
        bundle: &EvidenceBundle,
        nonce: &Nonce,
        now: UnixTime,
    ) -> Result<Admitted, Refusal> {
        let verified = self.verifier.verify(bundle, Some(nonce), now)?;
        Ok(self.in_force.evaluate(verified, now)?)
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
        Ok(self.in_force.evaluate(verified, now)?)
    }
}
