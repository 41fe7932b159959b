//! Work on segments by several threads. Items are handed out in their order, and of several errors the first item's is told.

use std::{
    num::NonZeroUsize,
    sync::{Mutex, PoisonError},
    thread,
};

/// How many threads work.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Threads(NonZeroUsize);

impl Threads {
    /// Most that are started.
    const MAX: usize = 256;

    /// As many as the machine runs at once.
    #[must_use]
    pub fn all() -> Self {
        let here = thread::available_parallelism();
        Self::exactly(here.unwrap_or(NonZeroUsize::MIN))
    }

    /// `count`, at most 256.
    #[must_use]
    pub fn exactly(count: NonZeroUsize) -> Self {
        Self(NonZeroUsize::new(Self::MAX).map_or(count, |most| count.min(most)))
    }
}

/// Hears how far long work is.
pub trait Progress: Sync {
    /// `bytes` more of plaintext are done.
    fn advanced(&self, bytes: u64);
}

/// Nobody asked.
impl Progress for () {
    fn advanced(&self, _: u64) {}
}

/// How long work is done.
#[derive(Clone, Copy)]
pub struct Work<'a> {
    /// By how many threads.
    pub threads: Threads,
    /// Who hears of it.
    pub progress: &'a dyn Progress,
}

impl Work<'static> {
    /// By all threads of the machine, in silence.
    #[must_use]
    pub fn silent() -> Self {
        Self {
            threads: Threads::all(),
            progress: &(),
        }
    }
}

/// Items not yet handed out, and the first error.
struct Queue<I, E> {
    items: I,
    handed_out: usize,
    error: Option<(usize, E)>,
}

impl<I: Iterator, E> Queue<I, E> {
    /// The next item, unless something went wrong.
    fn next(&mut self) -> Option<(usize, I::Item)> {
        if self.error.is_some() {
            return None;
        }
        let item = self.items.next()?;
        self.handed_out += 1;
        Some((self.handed_out, item))
    }

    fn fail(&mut self, number: usize, error: E) {
        let is_first = self.error.as_ref().is_none_or(|(first, _)| number < *first);
        if is_first {
            self.error = Some((number, error));
        }
    }
}

/// Does `work` for each of `items`, with what `prepare` made for the thread. Ends early on an error.
pub(crate) fn each<T, E, W>(
    threads: Threads,
    items: impl Iterator<Item = T> + Send,
    prepare: impl Fn() -> W + Sync,
    work: impl Fn(&mut W, T) -> Result<(), E> + Sync,
) -> Result<(), E>
where
    E: Send,
{
    let queue = Mutex::new(Queue {
        items,
        handed_out: 0,
        error: None,
    });
    let lock = || queue.lock().unwrap_or_else(PoisonError::into_inner);
    let run = || {
        let mut own = prepare();
        while let Some((number, item)) = { lock().next() } {
            if let Err(error) = work(&mut own, item) {
                lock().fail(number, error);
            }
        }
    };
    thread::scope(|scope| {
        for _ in 1..threads.0.get() {
            scope.spawn(run);
        }
        run();
    });
    let queue = queue.into_inner().unwrap_or_else(PoisonError::into_inner);
    queue.error.map_or(Ok(()), |(_, error)| Err(error))
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::atomic::{AtomicU64, Ordering};

    fn threads(count: usize) -> Threads {
        Threads::exactly(NonZeroUsize::new(count).unwrap())
    }

    #[test]
    fn each_item_is_worked_on_once() {
        for count in [1, 2, 7] {
            let sum = AtomicU64::new(0);
            let add = |(): &mut (), item: u64| {
                sum.fetch_add(item, Ordering::Relaxed);
                Ok::<_, ()>(())
            };
            each(threads(count), 0..1000, || (), add).unwrap();
            assert_eq!(sum.into_inner(), 499_500);
        }
    }

    #[test]
    fn the_first_error_is_told() {
        for _ in 0..100 {
            let fail = |(): &mut (), item: u64| if item < 10 { Ok(()) } else { Err(item) };
            assert_eq!(each(threads(4), 0..1000, || (), fail), Err(10));
        }
    }

    #[test]
    fn threads_are_bounded() {
        assert_eq!(threads(1000), threads(256));
    }
}
