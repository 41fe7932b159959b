//! The beat of a padded stream: from its first record on, nothing of it leaves between two ticks.

use std::{future::pending, time::Duration};
use tokio::time::{Instant, Interval, MissedTickBehavior, interval_at};

/// Ticks on tokio's clock, once it was started. One that was missed, because the peer took nothing, is left out: the rest stay in step.
#[derive(Default)]
pub(crate) struct Beat(Option<Interval>);

impl Beat {
    /// Starts now: the first tick comes after `period`.
    pub(crate) fn start(&mut self, period: Duration) {
        let mut ticks = interval_at(Instant::now() + period, period);
        ticks.set_missed_tick_behavior(MissedTickBehavior::Skip);
        self.0 = Some(ticks);
    }

    pub(crate) const fn is_started(&self) -> bool {
        self.0.is_some()
    }

    /// Returns at the next tick; never, if it was not started.
    pub(crate) async fn tick(&mut self) {
        match &mut self.0 {
            Some(ticks) => drop(ticks.tick().await),
            None => pending().await,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use tokio::time::{advance, timeout};

    const PERIOD: Duration = Duration::from_millis(60);

    #[tokio::test(start_paused = true)]
    async fn a_beat_that_was_not_started_never_ticks() {
        let mut beat = Beat::default();
        assert!(!beat.is_started());
        assert!(timeout(PERIOD * 1000, beat.tick()).await.is_err());
    }

    #[tokio::test(start_paused = true)]
    async fn ticks_stay_in_step_whatever_was_missed() {
        let start = Instant::now();
        let mut beat = Beat::default();
        beat.start(PERIOD);
        beat.tick().await;
        assert_eq!(start.elapsed(), PERIOD);
        advance(PERIOD * 3 + PERIOD / 2).await;
        beat.tick().await;
        beat.tick().await;
        assert_eq!(start.elapsed().as_millis() % PERIOD.as_millis(), 0);
    }
}
