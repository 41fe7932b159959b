//! The clock of client and gateway: the one place that asks the system what time it is.

use attestation::UnixTime;
use std::{
    sync::OnceLock,
    time::{Duration, Instant, SystemTime, UNIX_EPOCH},
};

/// Says what time it is.
pub trait Clock: Send + Sync {
    /// The time now.
    fn now(&self) -> UnixTime;
}

/// The system's wall clock, which never runs slower than the time that passes: an admission must not outlive a clock set back.
#[derive(Clone, Copy, Debug, Default)]
pub struct SystemClock;

/// Wall clock and stopwatch at the first reading of this process.
struct Start {
    wall: UnixTime,
    stopwatch: Instant,
}

static START: OnceLock<Start> = OnceLock::new();

impl Clock for SystemClock {
    fn now(&self) -> UnixTime {
        let wall = read_wall();
        let start = START.get_or_init(|| Start {
            wall,
            stopwatch: Instant::now(),
        });
        start.at_least(wall, start.stopwatch.elapsed())
    }
}

impl Start {
    fn at_least(&self, wall: UnixTime, elapsed: Duration) -> UnixTime {
        wall.max(self.wall.plus(elapsed.as_secs()))
    }
}

/// Before 1970 every certificate is not yet valid: zero fails closed.
fn read_wall() -> UnixTime {
    #[expect(
        clippy::disallowed_methods,
        reason = "the one place of this crate that reads the clock"
    )]
    let now = SystemTime::now();
    let since = now.duration_since(UNIX_EPOCH);
    UnixTime(since.map_or(0, |elapsed| elapsed.as_secs()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_clock_set_back_lengthens_no_admission() {
        let start = Start {
            wall: UnixTime(1000),
            stopwatch: Instant::now(),
        };
        let minute = Duration::from_secs(60);
        assert_eq!(start.at_least(UnixTime(1060), minute), UnixTime(1060));
        assert_eq!(start.at_least(UnixTime(400), minute), UnixTime(1060));
        assert_eq!(start.at_least(UnixTime(0), minute), UnixTime(1060));
        assert_eq!(start.at_least(UnixTime(9000), minute), UnixTime(9000));
    }
}
