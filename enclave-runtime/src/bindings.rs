//! The attestations that this runtime has given out: a sealed request must name one of them (R9.4).

use attestation::{BindingId, UnixTime};
use std::{
    collections::{HashMap, VecDeque},
    sync::{Mutex, MutexGuard, PoisonError},
};

/// Binding ids with the time at which each was given out; when full, the oldest makes room and its clients ask again.
pub(crate) struct IssuedBindings {
    capacity: usize,
    issued: Mutex<Issued>,
}

#[derive(Default)]
struct Issued {
    given_out: HashMap<BindingId, UnixTime>,
    oldest_first: VecDeque<BindingId>,
}

impl IssuedBindings {
    pub(crate) fn new(capacity: usize) -> Self {
        Self {
            capacity: capacity.max(1),
            issued: Mutex::default(),
        }
    }

    /// Remembers `id`, given out at `now`.
    pub(crate) fn insert(&self, id: BindingId, now: UnixTime) {
        let mut issued = self.lock();
        if issued.given_out.insert(id, now).is_none() {
            issued.oldest_first.push_back(id);
        }
        if issued.oldest_first.len() > self.capacity {
            issued.forget_oldest();
        }
    }

    /// Whether `id` was given out at most `lifetime_seconds` before `now`: the policy in force says how long, not the one of that time.
    // R9.4
    pub(crate) fn honours(&self, id: &BindingId, now: UnixTime, lifetime_seconds: u64) -> bool {
        let issued = self.lock();
        let given_out = issued.given_out.get(id);
        given_out.is_some_and(|at| now < at.plus(lifetime_seconds))
    }

    fn lock(&self) -> MutexGuard<'_, Issued> {
        self.issued.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Issued {
    fn forget_oldest(&mut self) {
        if let Some(id) = self.oldest_first.pop_front() {
            self.given_out.remove(&id);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const fn id(byte: u8) -> BindingId {
        BindingId([byte; 32])
    }

    #[test]
    fn honours_what_was_issued_until_it_expires() {
        let bindings = IssuedBindings::new(8);
        bindings.insert(id(1), UnixTime(1000));
        assert!(bindings.honours(&id(1), UnixTime(1059), 60));
        assert!(!bindings.honours(&id(1), UnixTime(1060), 60));
        assert!(!bindings.honours(&id(2), UnixTime(1000), 60));
        assert!(
            !bindings.honours(&id(1), UnixTime(1030), 30),
            "a shorter policy"
        );
    }

    #[test]
    fn forgets_the_oldest_when_full() {
        let bindings = IssuedBindings::new(2);
        for byte in 1..=3 {
            bindings.insert(id(byte), UnixTime(1000));
        }
        assert!(!bindings.honours(&id(1), UnixTime(1000), 60));
        assert!(bindings.honours(&id(2), UnixTime(1000), 60));
        assert!(bindings.honours(&id(3), UnixTime(1000), 60));
    }

    #[test]
    fn counts_a_repeated_id_once() {
        let bindings = IssuedBindings::new(2);
        for byte in [1, 2, 2, 2] {
            bindings.insert(id(byte), UnixTime(1000));
        }
        assert!(bindings.honours(&id(1), UnixTime(1000), 60));
    }
}
