//! The only reader of the clocks. The wall clock, which the host sets, says what lists and receipts state; it moves forward only in the
//! runtime's eyes. How long keys live is measured on the monotonic clock, which nobody sets.

use attestation::UnixTime;
use std::{
    sync::atomic::{AtomicU64, Ordering},
    time::{SystemTime, UNIX_EPOCH},
};
use tokio::time::Instant;

/// A wall clock that never goes back, and a monotonic one.
pub struct Clock {
    wall: Box<dyn Fn() -> UnixTime + Send + Sync>,
    highest: AtomicU64,
    monotonic: Box<dyn Fn() -> Instant + Send + Sync>,
}

/// What both clocks say at one time.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Moment {
    pub(crate) wall: UnixTime,
    pub(crate) monotonic: Instant,
}

impl Clock {
    /// The system's clocks.
    #[must_use]
    pub fn system() -> Self {
        Self::from_source(read_system)
    }

    /// A wall clock that someone else turns, beside tokio's monotonic one (which stands still where a test or a simulation pauses it).
    #[must_use]
    pub fn from_source(wall: impl Fn() -> UnixTime + Send + Sync + 'static) -> Self {
        Self::from_sources(wall, Instant::now)
    }

    /// Both clocks turned by someone else.
    #[must_use]
    pub fn from_sources(
        wall: impl Fn() -> UnixTime + Send + Sync + 'static,
        monotonic: impl Fn() -> Instant + Send + Sync + 'static,
    ) -> Self {
        Self {
            wall: Box::new(wall),
            highest: AtomicU64::new(0),
            monotonic: Box::new(monotonic),
        }
    }

    /// The highest wall-clock time seen up to now.
    pub fn now(&self) -> UnixTime {
        let read = (self.wall)().0;
        UnixTime(self.highest.fetch_max(read, Ordering::Relaxed).max(read))
    }

    /// The monotonic clock.
    pub(crate) fn monotonic(&self) -> Instant {
        (self.monotonic)()
    }

    /// Both clocks.
    pub(crate) fn moment(&self) -> Moment {
        Moment {
            wall: self.now(),
            monotonic: self.monotonic(),
        }
    }
}

#[expect(
    clippy::disallowed_methods,
    reason = "this is the runtime's one reader of the clock"
)]
fn read_system() -> UnixTime {
    let since_epoch = SystemTime::now().duration_since(UNIX_EPOCH);
    UnixTime(since_epoch.map_or(0, |elapsed| elapsed.as_secs()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::{sync::Arc, time::Duration};

    #[test]
    fn the_wall_clock_never_goes_back() {
        let hand = Arc::new(AtomicU64::new(100));
        let turned = Arc::clone(&hand);
        let clock = Clock::from_source(move || UnixTime(turned.load(Ordering::Relaxed)));
        assert_eq!(clock.now(), UnixTime(100));
        hand.store(50, Ordering::Relaxed);
        assert_eq!(clock.now(), UnixTime(100));
        hand.store(101, Ordering::Relaxed);
        assert_eq!(clock.now(), UnixTime(101));
    }

    #[test]
    fn the_monotonic_clock_is_another() {
        let start = Instant::now();
        let hand = Arc::new(AtomicU64::new(0));
        let turned = Arc::clone(&hand);
        let monotonic = move || start + Duration::from_secs(turned.load(Ordering::Relaxed));
        let clock = Clock::from_sources(|| UnixTime(7), monotonic);
        hand.store(5, Ordering::Relaxed);
        let moment = Moment {
            wall: UnixTime(7),
            monotonic: start + Duration::from_secs(5),
        };
        assert_eq!(clock.moment(), moment);
    }
}
