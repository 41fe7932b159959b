//! A node that the user's own policy admitted, with the keys to seal to it. Nothing else can be sealed to.

use crate::{SessionError, offer::Offer};
use attestation::{Cache, EvidenceBundle, Nonce, UnixTime};
use policy::{Admitted, Appraiser};
use protocol::{KeyConfigs, Sealer, SignedKeyConfigs};
use std::sync::{
    Arc,
    atomic::{AtomicBool, Ordering},
};

/// An admitted node.
pub struct AdmittedNode {
    pub(crate) offer: Offer,
    pub(crate) sealer: Sealer,
    admitted: Admitted,
    evidence: Arc<Evidence>,
    forgotten: AtomicBool,
}

/// What the node answered to the challenge.
struct Evidence {
    bundle: Vec<u8>,
    nonce: Nonce,
}

impl AdmittedNode {
    /// Appraises `bundle` (as received), which must answer `nonce`, with what was `verified` before, and takes the key list inside it.
    pub(crate) fn admit(
        offer: &Offer,
        (bundle, nonce): (Vec<u8>, Nonce),
        (appraiser, verified): (&Appraiser, &mut Cache),
        now: UnixTime,
    ) -> Result<Self, SessionError> {
        let parsed = EvidenceBundle::from_cbor(&bundle)?;
        let admitted = appraiser.appraise_cached(verified, &parsed, &nonce, now)?;
        let signed = SignedKeyConfigs::from_bytes(parsed.key_configs.ok_or(SessionError::NoKeys)?);
        let sealer = sealer(offer, &admitted, &signed, now)?;
        Ok(Self {
            offer: offer.clone(),
            sealer,
            admitted,
            evidence: Arc::new(Evidence { bundle, nonce }),
            forgotten: AtomicBool::new(false),
        })
    }

    /// The same admission with another key list of the same identity, which its archived evidence carries from now on.
    pub(crate) fn with_keys(
        &self,
        signed: &SignedKeyConfigs,
        now: UnixTime,
    ) -> Result<Self, SessionError> {
        Ok(Self {
            offer: self.offer.clone(),
            sealer: sealer(&self.offer, &self.admitted, signed, now)?,
            admitted: self.admitted.clone(),
            evidence: Arc::new(self.evidence.with_keys(signed)?),
            forgotten: AtomicBool::new(false),
        })
    }

    /// Whether requests may be sealed to it at `now`.
    pub(crate) fn is_usable(&self, now: UnixTime) -> bool {
        now < self.sealer.not_after() && !self.is_forgotten()
    }

    /// The node said inside the seal that it no longer knows this attestation: the next request needs a new one.
    pub(crate) fn forget(&self) {
        self.forgotten.store(true, Ordering::Relaxed);
    }

    /// Whether the node no longer knows this attestation.
    pub(crate) fn is_forgotten(&self) -> bool {
        self.forgotten.load(Ordering::Relaxed)
    }

    /// Its name.
    #[must_use]
    pub fn name(&self) -> &str {
        self.sealer.node()
    }

    /// The proof of its admission.
    #[must_use]
    pub const fn admitted(&self) -> &Admitted {
        &self.admitted
    }

    /// Its key list, verified.
    #[must_use]
    pub const fn keys(&self) -> &KeyConfigs {
        self.sealer.keys()
    }

    /// Until when requests may be sealed to it: least of admission and key list.
    #[must_use]
    pub fn not_after(&self) -> UnixTime {
        self.sealer.not_after()
    }

    /// The evidence bundle as received.
    #[must_use]
    pub fn bundle(&self) -> &[u8] {
        &self.evidence.bundle
    }

    /// The nonce that the bundle answers.
    #[must_use]
    pub fn nonce(&self) -> &Nonce {
        &self.evidence.nonce
    }
}

impl Evidence {
    /// The same evidence with the list that is sealed under: an auditor finds the receipt's epoch in it.
    fn with_keys(&self, signed: &SignedKeyConfigs) -> Result<Self, SessionError> {
        let mut bundle = EvidenceBundle::from_cbor(&self.bundle)?;
        bundle.key_configs = Some(signed.as_bytes().to_vec());
        Ok(Self {
            bundle: bundle.to_cbor(),
            nonce: self.nonce,
        })
    }
}

/// A sealer under a key list that the admitted identity signed and that names the offered node.
fn sealer(
    offer: &Offer,
    admitted: &Admitted,
    signed: &SignedKeyConfigs,
    now: UnixTime,
) -> Result<Sealer, SessionError> {
    let sealer = Sealer::new(admitted, signed, now)?;
    if sealer.node() != offer.node {
        return Err(SessionError::NodeName {
            offered: offer.node.clone(),
            actual: sealer.node().to_owned(),
        });
    }
    Ok(sealer)
}
