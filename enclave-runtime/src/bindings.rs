//! The attestations that this runtime has given out: a sealed request must name one of them (R9.4).

use attestation::{BindingId, UnixTime};
use std::{
    collections::{HashMap, VecDeque},
    sync::{Mutex, MutexGuard, PoisonError},
};

/// Binding ids with the time until which each is honoured; when full, the oldest makes room and its clients ask again.
pub(crate) struct IssuedBindings {
    capacity: usize,
    lifetime_seconds: u64,
    issued: Mutex<Issued>,
}

#[derive(Default)]
struct Issued {
    honoured_until: HashMap<BindingId, UnixTime>,
    oldest_first: VecDeque<BindingId>,
}

impl IssuedBindings {
    pub(crate) fn new(capacity: usize, lifetime_seconds: u64) -> Self {
        Self {
            capacity: capacity.max(1),
            lifetime_seconds,
            issued: Mutex::default(),
        }
    }

    /// Remembers `id`, given out at `now`.
    pub(crate) fn insert(&self, id: BindingId, now: UnixTime) {
        let mut issued = self.lock();
        let until = now.plus(self.lifetime_seconds);
        if issued.honoured_until.insert(id, until).is_none() {
            issued.oldest_first.push_back(id);
        }
        if issued.oldest_first.len() > self.capacity {
            issued.forget_oldest();
        }
    }

    /// Whether `id` was given out and is still honoured at `now`.
    // R9.4
    pub(crate) fn honours(&self, id: &BindingId, now: UnixTime) -> bool {
        self.lock()
            .honoured_until
            .get(id)
            .is_some_and(|until| now < *until)
    }

    fn lock(&self) -> MutexGuard<'_, Issued> {
        self.issued.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Issued {
    fn forget_oldest(&mut self) {
        if let Some(id) = self.oldest_first.pop_front() {
            self.honoured_until.remove(&id);
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
        let bindings = IssuedBindings::new(8, 60);
        bindings.insert(id(1), UnixTime(1000));
        assert!(bindings.honours(&id(1), UnixTime(1059)));
        assert!(!bindings.honours(&id(1), UnixTime(1060)));
        assert!(!bindings.honours(&id(2), UnixTime(1000)));
    }

    #[test]
    fn forgets_the_oldest_when_full() {
        let bindings = IssuedBindings::new(2, 60);
        for byte in 1..=3 {
            bindings.insert(id(byte), UnixTime(1000));
        }
        assert!(!bindings.honours(&id(1), UnixTime(1000)));
        assert!(bindings.honours(&id(2), UnixTime(1000)));
        assert!(bindings.honours(&id(3), UnixTime(1000)));
    }

    #[test]
    fn counts_a_repeated_id_once() {
        let bindings = IssuedBindings::new(2, 60);
        for byte in [1, 2, 2, 2] {
            bindings.insert(id(byte), UnixTime(1000));
        }
        assert!(bindings.honours(&id(1), UnixTime(1000)));
    }
}
