//! What each round of a subject cost.

use rustix::time::{ClockId, clock_gettime};
use std::time::{Duration, Instant};

/// What one run cost.
#[derive(Clone, Copy)]
pub(crate) struct Cost {
    /// By the clock.
    elapsed: f64,
    /// Processor time of all threads.
    processor: f64,
}

impl Cost {
    /// What `work` costs.
    pub(crate) fn of(work: impl FnOnce()) -> Self {
        let (clock, processor) = (Instant::now(), processor_time());
        work();
        Self {
            elapsed: clock.elapsed().as_secs_f64(),
            processor: (processor_time() - processor).as_secs_f64(),
        }
    }
}

/// All rounds of one subject.
#[derive(Default)]
pub(crate) struct Rounds(Vec<Cost>);

impl Rounds {
    pub(crate) fn add(&mut self, cost: Cost) {
        self.0.push(cost);
    }

    /// A line for people.
    pub(crate) fn print(&self, name: &str, bytes: usize) {
        let gigabytes = bytes as f64 / 1e9;
        let best = self
            .0
            .iter()
            .map(|cost| cost.elapsed)
            .fold(f64::INFINITY, f64::min);
        let processor = median(self.0.iter().map(|cost| cost.processor).collect());
        let (rate, own) = (gigabytes / best, gigabytes / processor);
        println!(
            "{name:<22} {rate:>6.2} GB/s by the clock, {own:>6.2} GB for each second of a processor"
        );
    }
}

/// How many times as fast `own` is as `peer`, by processor time.
pub(crate) fn ratio(own: &Rounds, peer: &Rounds) -> f64 {
    let rounds = own.0.iter().zip(&peer.0);
    median(
        rounds
            .map(|(own, peer)| peer.processor / own.processor)
            .collect(),
    )
}

fn median(mut values: Vec<f64>) -> f64 {
    values.sort_by(f64::total_cmp);
    values[values.len() / 2]
}

fn processor_time() -> Duration {
    let time = clock_gettime(ClockId::ProcessCPUTime);
    Duration::new(time.tv_sec as u64, time.tv_nsec as u32)
}
