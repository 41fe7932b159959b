//! One digest over pieces that several threads have, each when its turn comes.

use crate::reader::finish;
use attestation::Digest;
use aws_lc_rs::digest::{Context, SHA256};
use std::sync::{Condvar, Mutex, PoisonError};

/// SHA-256 of a file whose segments several threads read.
pub(crate) struct InOrder {
    state: Mutex<State>,
    turned: Condvar,
}

struct State {
    /// Whose turn it is.
    next: u64,
    context: Context,
    /// The first turn that will never be taken.
    dropped: u64,
}

impl InOrder {
    pub(crate) fn new() -> Self {
        Self {
            state: Mutex::new(State {
                next: 0,
                context: Context::new(&SHA256),
                dropped: u64::MAX,
            }),
            turned: Condvar::new(),
        }
    }

    /// A promise to take the turn `index`.
    pub(crate) const fn turn(&self, index: u64) -> Turn<'_> {
        Turn {
            order: self,
            index,
            is_taken: false,
        }
    }

    pub(crate) fn finish(self) -> Digest {
        let state = self.state.into_inner();
        finish(state.unwrap_or_else(PoisonError::into_inner).context)
    }
}

/// Whoever drops it without having taken it lets those behind go, with nothing; those before still take theirs.
pub(crate) struct Turn<'a> {
    order: &'a InOrder,
    index: u64,
    is_taken: bool,
}

impl Turn<'_> {
    /// Waits for its turn and adds `piece`; false where a turn before was dropped.
    pub(crate) fn take(mut self, piece: &[u8]) -> bool {
        let lock = self.order.state.lock();
        let lock = lock.unwrap_or_else(PoisonError::into_inner);
        let waiting = |state: &mut State| state.next < self.index && state.dropped > self.index;
        let lock = self.order.turned.wait_while(lock, waiting);
        let mut state = lock.unwrap_or_else(PoisonError::into_inner);
        if state.next < self.index {
            return false;
        }
        state.context.update(piece);
        state.next += 1;
        drop(state);
        self.is_taken = true;
        self.order.turned.notify_all();
        true
    }
}

impl Drop for Turn<'_> {
    fn drop(&mut self) {
        if self.is_taken {
            return;
        }
        let lock = self.order.state.lock();
        let mut state = lock.unwrap_or_else(PoisonError::into_inner);
        state.dropped = state.dropped.min(self.index);
        drop(state);
        self.order.turned.notify_all();
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use attestation::crypto::sha256;
    use std::thread;

    #[test]
    fn pieces_are_digested_in_their_order() {
        let order = InOrder::new();
        thread::scope(|scope| {
            for index in (0..50).rev() {
                let turn = order.turn(index);
                scope.spawn(move || assert!(turn.take(&[index as u8; 3])));
            }
        });
        let all: Vec<u8> = (0..50).flat_map(|index| [index; 3]).collect();
        assert_eq!(order.finish(), sha256(&all));
    }

    #[test]
    fn nobody_waits_for_a_turn_that_is_not_taken() {
        let order = InOrder::new();
        thread::scope(|scope| {
            let late = order.turn(2);
            let waiting = scope.spawn(move || late.take(b"c"));
            assert!(order.turn(0).take(b"a"));
            drop(order.turn(1));
            assert!(!waiting.join().unwrap());
        });
    }

    #[test]
    fn those_before_a_dropped_turn_take_theirs() {
        let order = InOrder::new();
        thread::scope(|scope| {
            drop(order.turn(2));
            let early = order.turn(1);
            let waiting = scope.spawn(move || early.take(b"b"));
            assert!(order.turn(0).take(b"a"));
            assert!(waiting.join().unwrap());
        });
    }
}
