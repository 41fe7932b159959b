//! Values that JavaScript names by number.

use std::collections::BTreeMap;

/// Values of one kind. A number is never used twice.
pub(crate) struct Handles<T> {
    values: BTreeMap<u32, T>,
    last: u32,
}

impl<T> Handles<T> {
    pub(crate) const fn new() -> Self {
        Self {
            values: BTreeMap::new(),
            last: 0,
        }
    }

    /// Keeps a value; `None` if there are no numbers left.
    pub(crate) fn keep(&mut self, value: T) -> Option<u32> {
        self.last = self.last.checked_add(1)?;
        self.values.insert(self.last, value);
        Some(self.last)
    }

    pub(crate) fn get(&mut self, handle: u32) -> Option<&mut T> {
        self.values.get_mut(&handle)
    }

    pub(crate) fn take(&mut self, handle: u32) -> Option<T> {
        self.values.remove(&handle)
    }
}
