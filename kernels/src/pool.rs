//! Threads that run one operation together: fork, claim chunks of the output, join.
//!
//! Which thread computes a chunk is left to chance; what is in it is not. Between operations workers spin for a moment,
//! then sleep, so that an idle engine costs nothing and a busy neighbour is not fought.

mod team;

use std::{
    num::NonZeroUsize,
    sync::atomic::{AtomicPtr, AtomicUsize, Ordering},
};

use team::Team;

/// A number of threads, the caller's among them.
pub struct Pool {
    team: Team,
}

impl Pool {
    /// Starts all threads but the caller's.
    pub fn new(threads: NonZeroUsize) -> Self {
        Self {
            team: Team::start(threads.get() - 1),
        }
    }

    /// How many threads there are, the caller's among them.
    pub fn threads(&self) -> usize {
        self.team.workers() + 1
    }

    /// Runs `task` once for each chunk of `items`, with the chunk's index; the last chunk may be shorter.
    ///
    /// # Panics
    /// If `task` does, or if `chunk` is zero.
    pub fn for_chunks<T: Send>(
        &mut self,
        items: &mut [T],
        chunk: usize,
        task: impl Fn(usize, &mut [T]) + Sync,
    ) {
        let count = items.len().div_ceil(chunk);
        if count <= 1 || self.team.workers() == 0 {
            items
                .chunks_mut(chunk)
                .enumerate()
                .for_each(|(i, c)| task(i, c));
            return;
        }
        let (length, next) = (items.len(), AtomicUsize::new(0));
        let items = AtomicPtr::new(items.as_mut_ptr());
        self.team.run(&|| {
            let claim = || Some(next.fetch_add(1, Ordering::Relaxed)).filter(|i| *i < count);
            while let Some(index) = claim() {
                let start = index * chunk;
                let length = chunk.min(length - start);
                #[expect(unsafe_code, reason = "disjoint parts of one borrowed slice")]
                // SAFETY: `start + length` is within the slice, which stays exclusively borrowed until `run` returns;
                // an index is claimed once, so that no two chunks overlap.
                let chunk = unsafe {
                    let first = items.load(Ordering::Relaxed).add(start);
                    std::slice::from_raw_parts_mut(first, length)
                };
                task(index, chunk);
            }
        });
    }
}

#[cfg(test)]
mod tests;
