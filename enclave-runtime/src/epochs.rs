//! Key epochs: the keys that open envelopes, and the short-lived list of them that the identity signs again before it expires.

use attestation::{Digest, UnixTime};
use protocol::{IdentitySecret, KeyConfigs, KeyEpoch, Receiver, SignedKeyConfigs};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

/// A list is valid from this long before it was signed, for peers whose clocks are behind.
const BACKDATED_SECONDS: u64 = 60;

/// What every list of this runtime says.
pub(crate) struct KeyListTerms {
    pub(crate) identity: Digest,
    pub(crate) manifest: Digest,
    pub(crate) node: String,
    pub(crate) policy_version: u64,
    pub(crate) policy_digest: Digest,
    pub(crate) policy_expires: UnixTime,
    pub(crate) window_seconds: u64,
    pub(crate) replay_capacity: usize,
    pub(crate) max_request_bytes: usize,
}

/// The keys of one epoch.
pub(crate) struct Epoch {
    pub(crate) number: u64,
    pub(crate) receiver: Receiver,
    ohttp_keys: Vec<u8>,
}

/// The epoch in use and its signed list.
pub(crate) struct Epochs {
    terms: KeyListTerms,
    current: Mutex<Current>,
}

struct Current {
    epoch: Arc<Epoch>,
    list: Option<SignedList>,
}

struct SignedList {
    configs: SignedKeyConfigs,
    renew_at: UnixTime,
}

impl Epochs {
    /// Starts with the epoch numbered by `now`, so that numbers rise over restarts and key ids seldom repeat.
    pub(crate) fn start(terms: KeyListTerms, now: UnixTime) -> Self {
        let epoch = Arc::new(Epoch::generate(now.0, &terms));
        Self {
            terms,
            current: Mutex::new(Current { epoch, list: None }),
        }
    }

    /// The keys that open envelopes now.
    pub(crate) fn current(&self) -> Arc<Epoch> {
        Arc::clone(&self.lock().epoch)
    }

    /// The signed list; signed anew for the same epoch once half of its window has passed. No list outlives the policy that it names.
    pub(crate) fn signed_list(&self, identity: &IdentitySecret, now: UnixTime) -> SignedKeyConfigs {
        let mut current = self.lock();
        if let Some(list) = current.list.as_ref().filter(|list| now < list.renew_at) {
            return list.configs.clone();
        }
        let configs = self.configs(&current.epoch, now).sign(identity);
        current.list = Some(SignedList {
            configs: configs.clone(),
            renew_at: now.plus(self.terms.window_seconds / 2),
        });
        configs
    }

    /// Replaces epoch `number`, whose replay set is full, by the next; its keys are wiped when the last envelope under way is done.
    /// Clients of the old epoch get the key problem of RFC 9458 section 5.3 and fetch keys again.
    pub(crate) fn retire(&self, number: u64) {
        let mut current = self.lock();
        if current.epoch.number == number {
            let next = Epoch::generate(number.saturating_add(1), &self.terms);
            *current = Current {
                epoch: Arc::new(next),
                list: None,
            };
        }
    }

    fn configs(&self, epoch: &Epoch, now: UnixTime) -> KeyConfigs {
        let expires = now
            .plus(self.terms.window_seconds)
            .min(self.terms.policy_expires);
        let last = expires.0.saturating_sub(1);
        KeyConfigs {
            identity: self.terms.identity,
            manifest: self.terms.manifest,
            node: self.terms.node.clone(),
            epoch: epoch.number,
            not_before: UnixTime(now.0.saturating_sub(BACKDATED_SECONDS).min(last)),
            expires,
            policy_version: self.terms.policy_version,
            policy_digest: self.terms.policy_digest,
            configs: epoch.ohttp_keys.clone(),
        }
    }

    fn lock(&self) -> MutexGuard<'_, Current> {
        self.current.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Epoch {
    fn generate(number: u64, terms: &KeyListTerms) -> Self {
        let keys = KeyEpoch::generate(number, terms.replay_capacity);
        Self {
            number,
            ohttp_keys: keys.ohttp_keys(),
            receiver: Receiver::new(keys, terms.max_request_bytes),
        }
    }
}
