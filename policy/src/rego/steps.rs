//! A budget of steps in place of time: regorus asks a source of time now and then, and ours counts the questions. The same input ends at the same
//! step everywhere, and no clock is read.

use regorus::utils::limits::{ExecutionTimerConfig, TimeSource, set_time_source};
use std::{cell::Cell, num::NonZeroU32, sync::Once, time::Duration};

/// Steps of the interpreter that one evaluation may take.
const MAX_STEPS: u64 = 200_000;

thread_local! {
    /// Questions since the evaluation on this thread began.
    static STEPS: Cell<u64> = const { Cell::new(0) };
}

struct Counter;

impl TimeSource for Counter {
    fn now(&self) -> Option<Duration> {
        let steps = STEPS.get().saturating_add(1);
        STEPS.set(steps);
        Some(Duration::from_nanos(steps))
    }
}

/// The budget of one evaluation, a nanosecond a step.
pub(super) fn budget() -> ExecutionTimerConfig {
    static REGISTERED: Once = Once::new();
    REGISTERED.call_once(|| {
        // Fails only where a source stands already, and nobody else sets one.
        _ = set_time_source(&Counter);
    });
    ExecutionTimerConfig {
        limit: Duration::from_nanos(MAX_STEPS),
        check_interval: NonZeroU32::MIN,
    }
}

/// An evaluation begins on this thread.
pub(super) fn start() {
    STEPS.set(0);
}
