//! A node that the user's own policy admitted, with the keys to seal to it. Nothing else can be sealed to.

mod error;

pub use error::NodeError;

use crate::Offer;
use attestation::{Cache, EvidenceBundle, Nonce, UnixTime};
use policy::{Admitted, Appraiser, InForce, Refusal};
use protocol::{
    ClientRequest, KeyConfigs, Opener, SealError, SealedRequest, Sealer, SignedKeyConfigs,
};
use std::sync::atomic::{AtomicBool, Ordering};

/// An admitted node.
pub struct AdmittedNode {
    offer: Offer,
    admitted: Admitted,
    sealer: Sealer,
    bundle: Vec<u8>,
    nonce: Nonce,
    renewals: Renewals,
    forgotten: AtomicBool,
}

/// When to ask again, ahead of the ends.
#[derive(Clone, Copy)]
struct Renewals {
    admission: UnixTime,
    keys: UnixTime,
}

impl AdmittedNode {
    /// Appraises `bundle` (as received), which must answer `nonce`, with what was `verified` before, and takes the key list inside it.
    pub fn admit(
        offer: &Offer,
        (bundle, nonce): (Vec<u8>, Nonce),
        (appraiser, verified): (&Appraiser, &mut Cache),
        now: UnixTime,
    ) -> Result<Self, NodeError> {
        let parsed = EvidenceBundle::from_cbor(&bundle)?;
        let admitted = appraiser.appraise_cached(verified, &parsed, &nonce, now)?;
        let signed = SignedKeyConfigs::from_bytes(parsed.key_configs.ok_or(NodeError::NoKeys)?);
        let sealer = sealer(offer, &admitted, &signed, now)?;
        let renewals = Renewals {
            admission: ahead_of(admitted.not_after(), now),
            keys: ahead_of(sealer.not_after(), now),
        };
        Ok(Self {
            offer: offer.clone(),
            admitted,
            sealer,
            bundle,
            nonce,
            renewals,
            forgotten: AtomicBool::new(false),
        })
    }

    /// The same evidence, judged by what is in force now: no challenge, and the key list in use.
    pub fn judged_again(&self, in_force: &InForce, now: UnixTime) -> Result<Self, NodeError> {
        let admitted = self.admitted.judged_again(in_force, now);
        let admitted = admitted.map_err(Refusal::Policy)?;
        let keys = EvidenceBundle::from_cbor(&self.bundle)?.key_configs;
        let signed = SignedKeyConfigs::from_bytes(keys.ok_or(NodeError::NoKeys)?);
        let sealer = sealer(&self.offer, &admitted, &signed, now)?;
        let ahead = ahead_of(admitted.not_after(), now);
        Ok(Self {
            offer: self.offer.clone(),
            renewals: Renewals {
                admission: self.renewals.admission.min(ahead),
                ..self.renewals
            },
            admitted,
            sealer,
            bundle: self.bundle.clone(),
            nonce: self.nonce,
            forgotten: AtomicBool::new(self.is_forgotten()),
        })
    }

    /// The same admission with another key list of the same identity.
    pub fn with_keys(&self, signed: &SignedKeyConfigs, now: UnixTime) -> Result<Self, NodeError> {
        let sealer = sealer(&self.offer, &self.admitted, signed, now)?;
        let renewals = Renewals {
            keys: ahead_of(sealer.not_after(), now),
            ..self.renewals
        };
        Ok(Self {
            offer: self.offer.clone(),
            admitted: self.admitted.clone(),
            sealer,
            bundle: with_keys(&self.bundle, signed)?,
            nonce: self.nonce,
            renewals,
            forgotten: AtomicBool::new(false),
        })
    }

    /// Whether requests may be sealed to it at `now`.
    #[must_use]
    pub fn is_usable(&self, now: UnixTime) -> bool {
        now < self.sealer.not_after() && !self.is_forgotten()
    }

    /// Whether it attests `model`; any will do if none is named.
    #[must_use]
    pub fn serves(&self, model: Option<&str>) -> bool {
        model.is_none_or(|model| model == self.model())
    }

    /// When new keys or a new admission are asked for, so that no request waits for them.
    #[must_use]
    pub fn renew_at(&self) -> UnixTime {
        self.renewals.admission.min(self.renewals.keys)
    }

    /// Whether new keys alone do not keep it usable for long.
    #[must_use]
    pub fn is_admission_due(&self, now: UnixTime) -> bool {
        now >= self.renewals.admission
    }

    /// The node said inside the seal that it no longer knows this attestation: the next request needs a new one.
    pub fn forget(&self) {
        self.forgotten.store(true, Ordering::Relaxed);
    }

    /// Whether the node no longer knows this attestation.
    #[must_use]
    pub fn is_forgotten(&self) -> bool {
        self.forgotten.load(Ordering::Relaxed)
    }

    /// Where it is to be reached.
    #[must_use]
    pub const fn offer(&self) -> &Offer {
        &self.offer
    }

    /// Seals one request to it: a fresh encapsulation every time.
    pub fn seal(
        &self,
        request: &ClientRequest<'_>,
        now: UnixTime,
    ) -> Result<(SealedRequest, Opener), SealError> {
        self.sealer.seal(request, now)
    }

    /// Until when requests may be sealed to it: least of admission and key list.
    #[must_use]
    pub fn not_after(&self) -> UnixTime {
        self.sealer.not_after()
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

    /// The model that it attests.
    #[must_use]
    pub fn model(&self) -> &str {
        &self.admitted.claims().manifest.model
    }

    /// The evidence bundle as received, with the key list in use.
    #[must_use]
    pub fn bundle(&self) -> &[u8] {
        &self.bundle
    }

    /// The nonce that the bundle answers.
    #[must_use]
    pub const fn nonce(&self) -> &Nonce {
        &self.nonce
    }
}

/// A sealer under a key list that the admitted identity signed and that names the offered node (R5.3).
fn sealer(
    offer: &Offer,
    admitted: &Admitted,
    signed: &SignedKeyConfigs,
    now: UnixTime,
) -> Result<Sealer, NodeError> {
    let sealer = Sealer::new(admitted, signed, now)?;
    if sealer.node() != offer.node {
        return Err(NodeError::NodeName {
            offered: offer.node.clone(),
            actual: sealer.node().to_owned(),
        });
    }
    Ok(sealer)
}

/// The archive of an exchange needs the list that its epoch stands in; everything else in a bundle is as received.
fn with_keys(bundle: &[u8], signed: &SignedKeyConfigs) -> Result<Vec<u8>, NodeError> {
    let mut bundle = EvidenceBundle::from_cbor(bundle)?;
    bundle.key_configs = Some(signed.as_bytes().to_vec());
    Ok(bundle.to_cbor())
}

/// When three quarters of the time from `now` to `end` have passed.
const fn ahead_of(end: UnixTime, now: UnixTime) -> UnixTime {
    now.plus(end.since(now) / 4 * 3)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn renewal_is_asked_for_ahead_of_the_end() {
        let now = UnixTime(1000);
        assert_eq!(ahead_of(UnixTime(1600), now), UnixTime(1450));
        assert_eq!(ahead_of(UnixTime(1000), now), now);
        assert_eq!(ahead_of(UnixTime(0), now), now);
    }
}
