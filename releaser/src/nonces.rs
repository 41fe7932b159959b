//! Nonces that are known again without being kept: whoever asks for them takes no place. Those that were answered are remembered, each until
//! its end.

use attestation::Nonce;
use aws_lc_rs::{constant_time::verify_slices_are_equal, hmac, rand};
use std::{
    collections::BTreeSet,
    sync::{Mutex, MutexGuard, PoisonError},
    time::{Duration, Instant},
};

/// Bytes of a nonce that its tag authenticates: 8 random ones, and its end in 8.
const CLAIM_BYTES: usize = 16;
/// Bytes of the tag: the first half of an HMAC-SHA-256.
const TAG_BYTES: usize = 16;

type Claim = [u8; CLAIM_BYTES];
type Tag = [u8; TAG_BYTES];

/// Why there is no nonce, or one is not honoured; `code()` is stable.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum NonceError {
    /// The system gave no random bytes.
    #[error("no random bytes for a nonce")]
    Randomness,
    /// Not given out by this process, or answered already.
    #[error("the nonce was not given out here, or was answered already")]
    Unknown,
    /// Answered too late.
    #[error("the nonce was answered too late")]
    Expired,
    /// Too many have been answered for one more to be remembered.
    #[error("too many nonces are being answered")]
    Full,
}

impl NonceError {
    /// Stable code.
    #[must_use]
    pub const fn code(&self) -> &'static str {
        match self {
            Self::Randomness => "nonce.randomness",
            Self::Unknown => "nonce.unknown",
            Self::Expired => "nonce.expired",
            Self::Full => "nonce.full",
        }
    }
}

/// What this process knows its nonces by. A nonce is a [`Claim`] and its tag under a key that is in this value alone; the end in it is in
/// milliseconds, big-endian, since this value was made.
pub(crate) struct Nonces {
    /// None where the system gave no random bytes: then there are no nonces.
    key: Option<hmac::Key>,
    began: Instant,
    lifetime: Duration,
    capacity: usize,
    answered: Mutex<Answered>,
}

/// The nonces that were answered and have not ended.
#[derive(Default)]
struct Answered {
    /// The latest time at which one was answered. What ended before it is forgotten, so whoever comes with an older time does not count.
    now: u64,
    /// End and tag of each.
    nonces: BTreeSet<(u64, Tag)>,
}

impl Answered {
    fn forget_ended(&mut self, now: u64) {
        self.now = self.now.max(now);
        while self.nonces.first().is_some_and(|(end, _)| *end <= self.now) {
            self.nonces.pop_first();
        }
    }
}

impl Nonces {
    /// Nonces of this lifetime, of which at most `capacity` may be answered within it.
    pub(crate) fn new(capacity: usize, lifetime: Duration) -> Self {
        let random = rand::SystemRandom::new();
        Self {
            key: hmac::Key::generate(hmac::HMAC_SHA256, &random).ok(),
            began: Instant::now(),
            lifetime,
            capacity,
            answered: Mutex::default(),
        }
    }

    /// A fresh one.
    pub(crate) fn issue(&self, now: Instant) -> Result<Nonce, NonceError> {
        let mut random = [0; 8];
        rand::fill(&mut random).map_err(|_| NonceError::Randomness)?;
        let end = self.elapsed_ms(now + self.lifetime).to_be_bytes();
        let claim = joined(random, end);
        let tag = self.tag(&claim).ok_or(NonceError::Randomness)?;
        Ok(Nonce(joined(claim, tag)))
    }

    /// Takes it away, whatever comes of the answer.
    pub(crate) fn redeem(&self, nonce: &Nonce, now: Instant) -> Result<(), NonceError> {
        let (end, tag) = self.authenticated(nonce).ok_or(NonceError::Unknown)?;
        let now = self.elapsed_ms(now);
        let mut answered = self.lock();
        answered.forget_ended(now);
        if end <= answered.now {
            return Err(NonceError::Expired);
        }
        if answered.nonces.contains(&(end, tag)) {
            return Err(NonceError::Unknown);
        }
        if answered.nonces.len() >= self.capacity {
            return Err(NonceError::Full);
        }
        answered.nonces.insert((end, tag));
        Ok(())
    }

    /// End and tag of a nonce that this process gave out.
    fn authenticated(&self, nonce: &Nonce) -> Option<(u64, Tag)> {
        let (claim, tag) = nonce.0.split_first_chunk::<CLAIM_BYTES>()?;
        verify_slices_are_equal(&self.tag(claim)?, tag).ok()?;
        let end = u64::from_be_bytes(*claim.last_chunk()?);
        Some((end, tag.try_into().ok()?))
    }

    fn tag(&self, claim: &Claim) -> Option<Tag> {
        let code = hmac::sign(self.key.as_ref()?, claim);
        code.as_ref().first_chunk().copied()
    }

    fn elapsed_ms(&self, at: Instant) -> u64 {
        let elapsed = at.saturating_duration_since(self.began);
        u64::try_from(elapsed.as_millis()).unwrap_or(u64::MAX)
    }

    fn lock(&self) -> MutexGuard<'_, Answered> {
        self.answered.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Two halves as one.
fn joined<const HALF: usize, const WHOLE: usize>(
    first: [u8; HALF],
    second: [u8; HALF],
) -> [u8; WHOLE] {
    const { assert!(WHOLE == 2 * HALF) };
    let mut bytes = first.into_iter().chain(second);
    std::array::from_fn(|_| bytes.next().unwrap_or_default())
}

#[cfg(test)]
mod tests {
    use super::*;

    const MINUTE: Duration = Duration::from_secs(60);
    const MILLISECOND: Duration = Duration::from_millis(1);

    fn nonces() -> (Nonces, Instant) {
        (Nonces::new(2, MINUTE), Instant::now())
    }

    #[test]
    fn a_nonce_is_answered_once() {
        let (nonces, now) = nonces();
        let nonce = nonces.issue(now).unwrap();
        assert_eq!(nonces.redeem(&nonce, now), Ok(()));
        let last = now + MINUTE - MILLISECOND;
        for again in [now, last] {
            let refused = nonces.redeem(&nonce, again);
            assert_eq!(refused, Err(NonceError::Unknown));
        }
    }

    #[test]
    fn a_late_answer_is_none() {
        let (nonces, now) = nonces();
        let [in_time, late] = [(); 2].map(|()| nonces.issue(now).unwrap());
        let last = now + MINUTE - MILLISECOND;
        assert_eq!(nonces.redeem(&in_time, last), Ok(()));
        for too_late in [now + MINUTE, now + MINUTE * 1000] {
            let refused = nonces.redeem(&late, too_late);
            assert_eq!(refused, Err(NonceError::Expired));
        }
    }

    /// Whoever could change its end would have it for ever.
    #[test]
    fn a_nonce_with_a_changed_bit_is_none_of_ours() {
        let (nonces, now) = nonces();
        let nonce = nonces.issue(now).unwrap();
        for bit in 0..256 {
            let mut forged = nonce;
            forged.0[bit / 8] ^= 1 << (bit % 8);
            let refused = nonces.redeem(&forged, now);
            assert_eq!(refused, Err(NonceError::Unknown), "bit {bit}");
        }
        assert_eq!(nonces.redeem(&nonce, now), Ok(()), "the control");
    }

    #[test]
    fn a_nonce_of_another_process_is_none_of_ours() {
        let ((ours, now), (theirs, _)) = (nonces(), nonces());
        let nonce = theirs.issue(now).unwrap();
        assert_eq!(ours.redeem(&nonce, now), Err(NonceError::Unknown));
        assert_eq!(theirs.redeem(&nonce, now), Ok(()), "the control");
    }

    #[test]
    fn whoever_asks_for_nonces_takes_no_place() {
        let (nonces, now) = nonces();
        let all: BTreeSet<_> = (0..10_000).map(|_| nonces.issue(now).unwrap().0).collect();
        assert_eq!(all.len(), 10_000, "none is given out twice");
        assert!(nonces.lock().nonces.is_empty());
        let last = Nonce(*all.last().unwrap());
        assert_eq!(nonces.redeem(&last, now), Ok(()));
    }

    #[test]
    fn no_more_are_answered_in_a_lifetime_than_can_be_remembered() {
        let (nonces, now) = nonces();
        let [first, second, third] = [(); 3].map(|()| nonces.issue(now).unwrap());
        let late = nonces.issue(now + MILLISECOND).unwrap();
        assert_eq!(nonces.redeem(&first, now), Ok(()));
        assert_eq!(nonces.redeem(&second, now), Ok(()));
        assert_eq!(nonces.redeem(&third, now), Err(NonceError::Full));
        let end = now + MINUTE;
        assert_eq!(nonces.redeem(&late, end), Ok(()), "what is over makes room");
        assert_eq!(nonces.lock().nonces.len(), 1, "and is forgotten");
    }

    /// Threads look at the clock before they wait for each other.
    #[test]
    fn a_nonce_that_was_forgotten_is_not_honoured_at_an_older_time() {
        let (nonces, now) = nonces();
        let [answered, later] = [now, now + MINUTE].map(|at| nonces.issue(at).unwrap());
        let in_time = now + MINUTE - MILLISECOND;
        assert_eq!(nonces.redeem(&answered, in_time), Ok(()));
        assert_eq!(nonces.redeem(&later, now + MINUTE), Ok(()));
        let again = nonces.redeem(&answered, in_time);
        assert_eq!(again, Err(NonceError::Expired));
    }
}
