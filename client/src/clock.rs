//! Time as an argument of the client; the binary brings the system's, tests bring one turned by hand.

use attestation::UnixTime;
use std::time::{SystemTime, UNIX_EPOCH};

/// Says what time it is.
pub trait Clock: Send + Sync {
    /// Now.
    fn now(&self) -> UnixTime;
}

/// The operating system's clock.
#[derive(Clone, Copy, Debug, Default)]
pub struct SystemClock;

impl Clock for SystemClock {
    #[expect(
        clippy::disallowed_methods,
        reason = "the one place of this crate that reads the clock"
    )]
    fn now(&self) -> UnixTime {
        // Before 1970 every certificate is not yet valid: zero fails closed.
        let since = SystemTime::now().duration_since(UNIX_EPOCH);
        UnixTime(since.map_or(0, |elapsed| elapsed.as_secs()))
    }
}
