//! The only reader of the clock. The wall clock moves forward only in the runtime's eyes: the host that sets it gains nothing by
//! setting it back.

use attestation::UnixTime;
use std::{
    sync::atomic::{AtomicU64, Ordering},
    time::{SystemTime, UNIX_EPOCH},
};

/// A wall clock that never goes back.
pub struct Clock {
    source: Box<dyn Fn() -> UnixTime + Send + Sync>,
    highest: AtomicU64,
}

impl Clock {
    /// The system's clock.
    #[must_use]
    pub fn system() -> Self {
        Self::from_source(read_system)
    }

    /// A clock that someone else turns.
    #[must_use]
    pub fn from_source(source: impl Fn() -> UnixTime + Send + Sync + 'static) -> Self {
        Self {
            source: Box::new(source),
            highest: AtomicU64::new(0),
        }
    }

    /// The highest time seen up to now.
    pub fn now(&self) -> UnixTime {
        let read = (self.source)().0;
        UnixTime(self.highest.fetch_max(read, Ordering::Relaxed).max(read))
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
    use std::sync::Arc;

    #[test]
    fn never_goes_back() {
        let hand = Arc::new(AtomicU64::new(100));
        let turned = Arc::clone(&hand);
        let clock = Clock::from_source(move || UnixTime(turned.load(Ordering::Relaxed)));
        assert_eq!(clock.now(), UnixTime(100));
        hand.store(50, Ordering::Relaxed);
        assert_eq!(clock.now(), UnixTime(100));
        hand.store(101, Ordering::Relaxed);
        assert_eq!(clock.now(), UnixTime(101));
    }
}
