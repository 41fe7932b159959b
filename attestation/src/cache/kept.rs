//! A bounded map of verified values, each with its window.

use crate::{Digest, UnixTime, Window};
use std::{collections::BTreeMap, sync::Arc};

/// At most `limit` values; the one that was not used for the longest time goes first.
#[derive(Clone, Debug)]
pub(super) struct Kept<T> {
    limit: usize,
    entries: BTreeMap<Digest, Entry<T>>,
    /// Counts uses: the order of `last_use`.
    uses: u64,
    hits: u64,
}

#[derive(Clone, Debug)]
struct Entry<T> {
    value: Arc<T>,
    window: Window,
    last_use: u64,
}

impl<T> Kept<T> {
    pub(super) const fn new(limit: usize) -> Self {
        Self {
            limit,
            entries: BTreeMap::new(),
            uses: 0,
            hits: 0,
        }
    }

    /// The value under `key`, unless `now` is outside its window.
    pub(super) fn get(&mut self, key: &Digest, now: UnixTime) -> Option<Arc<T>> {
        let entry = self.entries.get(key)?;
        if !entry.window.contains(now) {
            return None;
        }
        self.hits += 1;
        Some(Arc::clone(&entry.value))
    }

    /// [`Self::get`], or what `verify` answers; that is not kept yet.
    pub(super) fn get_or(
        &mut self,
        key: &Digest,
        now: UnixTime,
        verify: impl FnOnce() -> Option<T>,
    ) -> Option<Arc<T>> {
        self.get(key, now).or_else(|| verify().map(Arc::new))
    }

    /// Keeps `value` as the one used last.
    pub(super) fn keep(&mut self, key: Digest, window: Window, value: Arc<T>) {
        self.uses += 1;
        let entry = Entry {
            value,
            window,
            last_use: self.uses,
        };
        self.entries.insert(key, entry);
        while self.entries.len() > self.limit {
            self.evict();
        }
    }

    fn evict(&mut self) {
        let by_use = self
            .entries
            .iter()
            .map(|(key, entry)| (entry.last_use, key));
        if let Some(key) = by_use.min().map(|(_, key)| *key) {
            self.entries.remove(&key);
        }
    }

    pub(super) fn len(&self) -> usize {
        self.entries.len()
    }

    pub(super) const fn hits(&self) -> u64 {
        self.hits
    }
}

#[cfg(test)]
mod tests {
    use super::{Arc, Kept, UnixTime, Window};

    const NOW: UnixTime = UnixTime(5);

    fn keep(kept: &mut Kept<u8>, name: u8) {
        kept.keep([name; 32], Window::ALWAYS, Arc::new(name));
    }

    fn names(kept: &mut Kept<u8>) -> Vec<u8> {
        (0..9)
            .filter(|name| kept.get(&[*name; 32], NOW).is_some())
            .collect()
    }

    #[test]
    fn beyond_the_cap_the_one_unused_for_longest_goes() {
        let mut kept = Kept::new(3);
        for name in [1, 2, 3, 1, 4] {
            keep(&mut kept, name);
        }
        assert_eq!((kept.len(), names(&mut kept)), (3, vec![1, 3, 4]));
        keep(&mut kept, 5);
        assert_eq!(names(&mut kept), [1, 4, 5]);
    }

    #[test]
    fn a_value_is_found_in_its_window_alone() {
        let mut kept = Kept::new(1);
        let window = Window {
            not_before: UnixTime(4),
            not_after: UnixTime(6),
        };
        kept.keep([0; 32], window, Arc::new(0));
        let found = [3, 4, 6, 7].map(|now| kept.get(&[0; 32], UnixTime(now)).is_some());
        assert_eq!((found, kept.hits()), ([false, true, true, false], 2));
    }

    #[test]
    fn a_refusal_is_not_kept_and_a_success_only_when_told() {
        let mut kept: Kept<u8> = Kept::new(1);
        assert_eq!(kept.get_or(&[0; 32], NOW, || None), None);
        assert_eq!(kept.get_or(&[0; 32], NOW, || Some(1)), Some(Arc::new(1)));
        assert_eq!((kept.len(), kept.hits()), (0, 0));
    }
}
