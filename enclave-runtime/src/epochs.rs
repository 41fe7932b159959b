//! Key epochs: fresh keys in time, a short-lived signed list of each, and the end of both (docs/protocol.md section 9).
//!
//! An epoch begins, is current for half of the window that its list is valid for, overlaps with the next until that list has expired and a
//! grace is over, and is wiped. All of it happens on the monotonic clock: the wall clock, which the host sets, only says what a list states.

#[cfg(test)]
mod tests;

use crate::{clock::Moment, obeyed::StatedPolicy, telemetry};
use attestation::{Digest, UnixTime};
use protocol::{
    Form, IdentitySecret, KeyConfigs, KeyEpoch, Receiver, RequestOpener, SignedKeyConfigs, Terms,
    secret::SecretMemory,
};
use std::{
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};
use tokio::time::Instant;

/// A list is valid from this long before its epoch began, for peers whose clocks are behind.
const BACKDATED_SECONDS: u64 = 60;

/// What every list of this runtime says, and how long its epochs live.
pub(crate) struct KeyListTerms {
    pub(crate) identity: Digest,
    pub(crate) manifest: Digest,
    pub(crate) node: String,
    pub(crate) window: Duration,
    pub(crate) grace: Duration,
    pub(crate) replay_capacity: usize,
    pub(crate) exchange: Terms,
}

/// The epochs of one runtime.
pub(crate) struct Epochs {
    terms: KeyListTerms,
    memory: Arc<dyn SecretMemory>,
    receiver: Receiver,
    ages: Mutex<Ages>,
}

/// Which epochs there are.
struct Ages {
    /// Number of the last one that began.
    number: u64,
    /// None while the runtime is halted.
    current: Option<Current>,
    /// Oldest first.
    overlapping: Vec<Overlapping>,
    /// What lists state.
    policy: StatedPolicy,
}

/// The epoch that lists carry.
struct Current {
    number: u64,
    ohttp_keys: Vec<u8>,
    began: Moment,
    list: Option<SignedKeyConfigs>,
}

/// An epoch that still opens envelopes.
struct Overlapping {
    number: u64,
    ends_at: Instant,
}

impl Epochs {
    /// Starts with the epoch numbered by the time, so that numbers rise over restarts and key ids seldom repeat.
    pub(crate) fn start(
        terms: KeyListTerms,
        policy: StatedPolicy,
        memory: Arc<dyn SecretMemory>,
        now: Moment,
    ) -> Self {
        let receiver = Receiver::new(terms.exchange);
        let keys = KeyEpoch::generate_in(&*memory, now.wall.0, terms.replay_capacity);
        let current = Current::begin(&receiver, keys, now);
        Self {
            terms,
            memory,
            receiver,
            ages: Mutex::new(Ages {
                number: current.number,
                current: Some(current),
                overlapping: Vec::new(),
                policy,
            }),
        }
    }

    /// Starts on one envelope in `form`.
    pub(crate) fn open(&self, form: Form, now: Moment) -> RequestOpener {
        self.turn(now);
        self.receiver.open_in(form)
    }

    /// The current epoch's list, of whose window at least half is left (R9.5); none while the runtime is halted. No list outlives the
    /// policy that it names (R9.7).
    pub(crate) fn signed_list(
        &self,
        identity: &IdentitySecret,
        now: Moment,
    ) -> Option<SignedKeyConfigs> {
        self.turn(now);
        let mut ages = self.lock();
        let policy = ages.policy;
        let current = ages.current.as_mut()?;
        let sign = || self.configs(current, policy).sign(identity);
        let list = current.list.clone().unwrap_or_else(sign);
        current.list = Some(list.clone());
        Some(list)
    }

    /// States `policy` in lists from now on; the keys stay (R9.8).
    pub(crate) fn state(&self, policy: StatedPolicy) {
        let mut ages = self.lock();
        if ages.policy != policy {
            ages.policy = policy;
            ages.current
                .iter_mut()
                .for_each(|current| current.list = None);
        }
    }

    /// Wipes the private keys of every epoch, at once; none begins until [`Epochs::resume`] (R9.9).
    pub(crate) fn halt(&self) {
        let mut ages = self.lock();
        let current = ages.current.take().map(|epoch| epoch.number);
        let overlapping = ages.overlapping.drain(..).map(|epoch| epoch.number);
        for number in overlapping.chain(current) {
            self.receiver.retire(number);
            telemetry::epoch_wiped(number, "halted");
        }
    }

    /// Begins an epoch with fresh keys, if the runtime was halted.
    pub(crate) fn resume(&self, now: Moment) {
        let mut ages = self.lock();
        if ages.current.is_none() {
            self.begin_next(&mut ages, now);
        }
    }

    /// Begins and ends what is due (R9.5, R9.6); when to call again at the latest.
    pub(crate) fn turn(&self, now: Moment) -> Instant {
        let mut ages = self.lock();
        let due = |current: &Current| current.next_at(&self.terms) <= now.monotonic;
        if ages.current.as_ref().is_some_and(due) {
            self.begin_next(&mut ages, now);
        }
        let is_over = |epoch: &mut Overlapping| epoch.ends_at <= now.monotonic;
        for over in ages.overlapping.extract_if(.., is_over) {
            self.receiver.retire(over.number);
            telemetry::epoch_wiped(over.number, "over");
        }
        let ends = ages.overlapping.iter().map(|epoch| epoch.ends_at);
        let next = ages.current.as_ref().map(|now| now.next_at(&self.terms));
        let latest = now.monotonic + self.terms.window / 2;
        ends.chain(next).fold(latest, Instant::min)
    }

    /// Ends epoch `number`, whose replay set is full: it can accept nothing more. Where it was the current one, the next begins (R6.9).
    pub(crate) fn end_full(&self, number: u64, now: Moment) {
        let mut ages = self.lock();
        let is_current = |current: &Current| current.number == number;
        if ages.current.as_ref().is_some_and(is_current) {
            self.begin_next(&mut ages, now);
        }
        let is_full = |epoch: &mut Overlapping| epoch.number == number;
        if ages.overlapping.extract_if(.., is_full).count() > 0 {
            self.receiver.retire(number);
            telemetry::epoch_wiped(number, "replay_set_full");
        }
    }

    /// Numbers of the epochs that open envelopes, the current one last; nothing is begun or ended by asking.
    #[cfg(test)]
    pub(crate) fn alive(&self) -> Vec<u64> {
        let ages = self.lock();
        let overlapping = ages.overlapping.iter().map(|epoch| epoch.number);
        let current = ages.current.as_ref().map(|epoch| epoch.number);
        overlapping.chain(current).collect()
    }

    fn begin_next(&self, ages: &mut Ages, now: Moment) {
        ages.number = ages.number.saturating_add(1);
        let keys = KeyEpoch::generate_in(&*self.memory, ages.number, self.terms.replay_capacity);
        let next = Current::begin(&self.receiver, keys, now);
        if let Some(last) = ages.current.replace(next) {
            ages.overlapping.push(Overlapping {
                number: last.number,
                ends_at: last.began.monotonic + self.terms.window + self.terms.grace,
            });
        }
    }

    fn configs(&self, epoch: &Current, policy: StatedPolicy) -> KeyConfigs {
        let began = epoch.began.wall;
        let expires = began.plus(self.terms.window.as_secs()).min(policy.expires);
        let last = expires.0.saturating_sub(1);
        KeyConfigs {
            identity: self.terms.identity,
            manifest: self.terms.manifest,
            node: self.terms.node.clone(),
            epoch: epoch.number,
            not_before: UnixTime(began.0.saturating_sub(BACKDATED_SECONDS).min(last)),
            expires,
            policy_version: policy.version,
            policy_digest: policy.digest,
            configs: epoch.ohttp_keys.clone(),
        }
    }

    fn lock(&self) -> MutexGuard<'_, Ages> {
        self.ages.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Current {
    fn begin(receiver: &Receiver, keys: KeyEpoch, now: Moment) -> Self {
        telemetry::epoch_begun(keys.number());
        let current = Self {
            number: keys.number(),
            ohttp_keys: keys.ohttp_keys(),
            began: now,
            list: None,
        };
        receiver.install(keys);
        current
    }

    /// When lists begin to carry the next epoch.
    fn next_at(&self, terms: &KeyListTerms) -> Instant {
        self.began.monotonic + terms.window / 2
    }
}
