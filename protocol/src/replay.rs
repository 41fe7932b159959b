//! The replay set of one key epoch: SHA-256 of every encapsulation that was accepted (R6.8), kept until the epoch's private keys are wiped and
//! never pruned by time (R6.9), since the host owns the clock.

use std::{
    collections::HashSet,
    sync::{Mutex, PoisonError},
};

/// The encapsulations seen.
pub(crate) struct ReplaySet {
    seen: Mutex<HashSet<[u8; 32]>>,
    capacity: usize,
}

/// Why an encapsulation was not reserved.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Refused {
    /// It was seen before.
    Replayed,
    /// The set is full.
    Full,
}

impl ReplaySet {
    /// Room for `capacity` encapsulations; memory is taken as they come.
    pub(crate) fn new(capacity: usize) -> Self {
        Self {
            seen: Mutex::default(),
            capacity,
        }
    }

    /// Reserves the encapsulation with this digest: of any number of concurrent duplicates one succeeds.
    pub(crate) fn reserve(&self, digest: [u8; 32]) -> Result<(), Refused> {
        let mut seen = self.seen.lock().unwrap_or_else(PoisonError::into_inner);
        if seen.contains(&digest) {
            return Err(Refused::Replayed);
        }
        // R6.9
        if seen.len() >= self.capacity {
            return Err(Refused::Full);
        }
        seen.insert(digest);
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// R6.8
    #[test]
    fn of_concurrent_duplicates_one_is_reserved() {
        let set = ReplaySet::new(10);
        let reserved = std::thread::scope(|scope| {
            let threads: Vec<_> = (0..8)
                .map(|_| scope.spawn(|| set.reserve([7; 32])))
                .collect();
            threads
                .into_iter()
                .map(|t| t.join().unwrap())
                .filter(Result::is_ok)
                .count()
        });
        assert_eq!(reserved, 1);
    }

    /// R6.9
    #[test]
    fn a_full_set_refuses_new_ones_and_still_knows_the_old() {
        let set = ReplaySet::new(2);
        assert_eq!(set.reserve([1; 32]), Ok(()));
        assert_eq!(set.reserve([2; 32]), Ok(()));
        assert_eq!(set.reserve([3; 32]), Err(Refused::Full));
        assert_eq!(set.reserve([1; 32]), Err(Refused::Replayed));
    }
}
