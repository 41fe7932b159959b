//! How often one peer may do something: so many at once, then one for each period that passes.

use crate::problem::Problem;
use std::{
    sync::{Mutex, PoisonError},
    time::{Duration, Instant},
};

/// One peer's allowance, as the generic cell rate algorithm has it (ITU-T I.371): one time instead of a count and a time.
#[derive(Debug)]
pub(crate) struct Rate {
    period: Duration,
    burst: u32,
    /// When all of the burst is there again; `None`: it is.
    whole_at: Mutex<Option<Instant>>,
}

impl Rate {
    pub(crate) const fn new(burst: u32, period: Duration) -> Self {
        Self {
            period,
            burst,
            whole_at: Mutex::new(None),
        }
    }

    /// Takes one of the allowance, if there is one at `now`.
    pub(crate) fn take(&self, now: Instant) -> Result<(), Problem> {
        let mut whole_at = self.whole_at.lock().unwrap_or_else(PoisonError::into_inner);
        let next = whole_at.map_or(now, |at| at.max(now)) + self.period;
        if next.duration_since(now) > self.period.saturating_mul(self.burst) {
            return Err(Problem::TooOften);
        }
        *whole_at = Some(next);
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_burst_passes_and_then_one_a_period() {
        let rate = Rate::new(3, Duration::from_secs(10));
        let start = Instant::now();
        let at = |seconds| rate.take(start + Duration::from_secs(seconds)).is_ok();
        assert_eq!([at(0), at(0), at(0), at(0)], [true, true, true, false]);
        assert_eq!([at(9), at(10), at(10)], [false, true, false]);
        assert_eq!(
            [at(1000), at(1000), at(1000), at(1000)],
            [true, true, true, false]
        );
    }
}
