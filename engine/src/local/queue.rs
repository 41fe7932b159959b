//! What waits: the tenants take turns, and of each tenant whoever came first is first.

use std::collections::VecDeque;

use crate::TenantId;

/// What waits. Between two turns of a tenant every other has one at most: nobody waits for ever.
pub(super) struct Queue<T> {
    /// The tenant whose turn it is comes first; none of them has an empty queue.
    tenants: VecDeque<(TenantId, VecDeque<T>)>,
}

impl<T> Queue<T> {
    pub(super) fn new() -> Self {
        let tenants = VecDeque::new();
        Self { tenants }
    }

    pub(super) fn is_empty(&self) -> bool {
        self.tenants.is_empty()
    }

    /// Puts `item` behind those of its tenant; a tenant who had none gets the last turn.
    pub(super) fn push(&mut self, tenant: TenantId, item: T) {
        match self.tenants.iter_mut().find(|(other, _)| *other == tenant) {
            Some((_, items)) => items.push_back(item),
            None => self.tenants.push_back((tenant, VecDeque::from([item]))),
        }
    }

    /// Whose turn it is.
    pub(super) fn next_mut(&mut self) -> Option<&mut T> {
        self.tenants.front_mut()?.1.front_mut()
    }

    /// Takes out whose turn it is; then it is the next tenant's.
    pub(super) fn pop(&mut self) -> Option<T> {
        let (tenant, mut items) = self.tenants.pop_front()?;
        let item = items.pop_front();
        if !items.is_empty() {
            self.tenants.push_back((tenant, items));
        }
        item
    }

    /// Takes out all that do not satisfy `keep`.
    pub(super) fn retain(&mut self, keep: impl Fn(&T) -> bool) {
        for (_, items) in &mut self.tenants {
            items.retain(&keep);
        }
        self.tenants.retain(|(_, items)| !items.is_empty());
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(tenants: &[(u8, u32)]) -> Queue<u32> {
        let mut queue = Queue::new();
        for (tenant, item) in tenants {
            queue.push(TenantId([*tenant; 32]), *item);
        }
        queue
    }

    fn drained(mut queue: Queue<u32>) -> Vec<u32> {
        std::iter::from_fn(|| queue.pop()).collect()
    }

    #[test]
    fn tenants_take_turns() {
        let queue = of(&[(1, 10), (1, 11), (1, 12), (2, 20), (3, 30), (2, 21)]);
        assert_eq!(drained(queue), [10, 20, 30, 11, 21, 12]);
    }

    #[test]
    fn who_comes_back_is_last() {
        let mut queue = of(&[(1, 10), (2, 20), (2, 21)]);
        assert_eq!(queue.pop(), Some(10));
        queue.push(TenantId([1; 32]), 11);
        assert_eq!(queue.next_mut().copied(), Some(20));
        assert_eq!(drained(queue), [20, 11, 21]);
    }

    #[test]
    fn who_went_away_has_no_turn() {
        let mut queue = of(&[(1, 10), (2, 20), (3, 30), (3, 31)]);
        queue.retain(|item| item % 10 != 0);
        assert!(!queue.is_empty());
        assert_eq!(drained(queue), [31]);
    }
}
