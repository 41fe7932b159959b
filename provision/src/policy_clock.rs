//! A clock that a host's owner cannot set back behind what was obeyed: it would bring expired documents to life again.

use crate::Clock;
use attestation::UnixTime;
use std::{
    sync::{Arc, Mutex, PoisonError},
    time::Instant,
};

/// Another clock, never before a floor, which passes as time does; nor does it ever go back.
pub struct PolicyClock {
    clock: Arc<dyn Clock>,
    floor: Mutex<Floor>,
}

/// It was at least `time` at `since`.
struct Floor {
    time: UnixTime,
    since: Instant,
}

impl PolicyClock {
    /// `clock`, from its time now on.
    #[must_use]
    pub fn new(clock: Arc<dyn Clock>) -> Self {
        let floor = Mutex::new(Floor::at(clock.now()));
        Self { clock, floor }
    }

    /// From now on it is `time` or later.
    pub fn at_least(&self, time: UnixTime) {
        self.with_floor(|floor| floor.rise(time));
    }

    /// What the other clock says, right or wrong.
    #[must_use]
    pub fn system_now(&self) -> UnixTime {
        self.clock.now()
    }

    /// How far the other clock is behind: it has been set back, or was never right.
    #[must_use]
    pub fn behind_seconds(&self) -> u64 {
        self.now().0.saturating_sub(self.clock.now().0)
    }

    /// A floor is whole at every point, so that a panic elsewhere makes it no worse.
    fn with_floor<T>(&self, work: impl FnOnce(&mut Floor) -> T) -> T {
        let mut floor = self.floor.lock().unwrap_or_else(PoisonError::into_inner);
        work(&mut floor)
    }
}

impl Clock for PolicyClock {
    fn now(&self) -> UnixTime {
        let now = self.clock.now();
        self.with_floor(|floor| floor.rise(now))
    }
}

impl Floor {
    fn at(time: UnixTime) -> Self {
        let since = Instant::now();
        Self { time, since }
    }

    /// The later of `time` and what the floor has become.
    fn rise(&mut self, time: UnixTime) -> UnixTime {
        let risen = self.time.plus(self.since.elapsed().as_secs());
        if time > risen {
            *self = Self::at(time);
        }
        time.max(risen)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::{
        sync::atomic::{AtomicU64, Ordering},
        time::Duration,
    };

    #[derive(Default)]
    struct Settable(AtomicU64);

    impl Clock for Settable {
        fn now(&self) -> UnixTime {
            UnixTime(self.0.load(Ordering::SeqCst))
        }
    }

    fn at(seconds: u64) -> (Arc<Settable>, PolicyClock) {
        let wall = Arc::new(Settable(AtomicU64::new(seconds)));
        let clock = PolicyClock::new(Arc::clone(&wall) as Arc<dyn Clock>);
        (wall, clock)
    }

    #[test]
    fn it_follows_a_clock_that_goes_forward() {
        let (wall, clock) = at(1000);
        assert!(clock.now() >= UnixTime(1000));
        wall.0.store(5000, Ordering::SeqCst);
        assert!(clock.now() >= UnixTime(5000));
        assert_eq!(clock.behind_seconds(), 0);
    }

    #[test]
    fn it_does_not_follow_a_clock_that_goes_back() {
        let (wall, clock) = at(1000);
        wall.0.store(400, Ordering::SeqCst);
        assert!(clock.now() >= UnixTime(1000));
        assert!(clock.behind_seconds() >= 600);
    }

    #[test]
    fn it_is_never_before_what_was_remembered() {
        let (wall, clock) = at(1000);
        clock.at_least(UnixTime(9000));
        clock.at_least(UnixTime(3000));
        assert!(clock.now() >= UnixTime(9000));
        assert!(clock.behind_seconds() >= 8000);
        wall.0.store(20_000, Ordering::SeqCst);
        assert!(clock.now() >= UnixTime(20_000));
    }

    #[test]
    fn the_floor_passes_as_time_does() {
        let minute_ago = Instant::now().checked_sub(Duration::from_secs(60)).unwrap();
        let mut floor = Floor {
            time: UnixTime(1000),
            since: minute_ago,
        };
        assert!(floor.rise(UnixTime(0)) >= UnixTime(1060));
        assert!(floor.rise(UnixTime(0)) >= UnixTime(1060));
    }
}
