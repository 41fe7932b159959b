//! Key epochs: the keys that open envelopes, and the short-lived list of them that the identity signs again before it expires.

use attestation::{Digest, UnixTime};
use protocol::{
    IdentitySecret, KeyConfigs, KeyEpoch, Receiver, RequestOpener, SignedKeyConfigs, Terms,
};
use std::sync::{Mutex, MutexGuard, PoisonError};

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
    pub(crate) exchange: Terms,
}

/// The public half of one epoch.
struct Epoch {
    number: u64,
    ohttp_keys: Vec<u8>,
}

/// The epoch in use and its signed list.
pub(crate) struct Epochs {
    terms: KeyListTerms,
    receiver: Receiver,
    current: Mutex<Current>,
}

struct Current {
    epoch: Epoch,
    list: Option<SignedList>,
}

struct SignedList {
    configs: SignedKeyConfigs,
    renew_at: UnixTime,
}

impl Epochs {
    /// Starts with the epoch numbered by `now`, so that numbers rise over restarts and key ids seldom repeat.
    pub(crate) fn start(terms: KeyListTerms, now: UnixTime) -> Self {
        let receiver = Receiver::new(terms.exchange);
        let epoch = Epoch::begin(now.0, &terms, &receiver);
        Self {
            terms,
            receiver,
            current: Mutex::new(Current { epoch, list: None }),
        }
    }

    /// Starts on one envelope.
    pub(crate) fn open(&self) -> RequestOpener {
        self.receiver.open()
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
            let epoch = Epoch::begin(number.saturating_add(1), &self.terms, &self.receiver);
            self.receiver.retire(number);
            *current = Current { epoch, list: None };
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
    fn begin(number: u64, terms: &KeyListTerms, receiver: &Receiver) -> Self {
        let keys = KeyEpoch::generate(number, terms.replay_capacity);
        let ohttp_keys = keys.ohttp_keys();
        receiver.install(keys);
        Self { number, ohttp_keys }
    }
}
