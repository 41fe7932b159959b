//! Timing: everybody in turn for a short burst, round after round, so that a noisy neighbour hits all alike; medians over the rounds.
//!
//! Seconds are the processor time of the one thread that works: waiting for a processor that others use is not counted.

use rustix::time::{ClockId, clock_gettime};
use std::time::Duration;

const ROUNDS: usize = 21;
const BURST_SECONDS: f64 = 0.15;

/// Something whose speed is measured.
pub trait Subject {
    /// Seconds per call, over as many calls as take about `seconds`.
    fn burst(&mut self, seconds: f64) -> f64;
}

impl<F: FnMut()> Subject for F {
    fn burst(&mut self, seconds: f64) -> f64 {
        let (start, mut calls) = (processor_time(), 0_u32);
        loop {
            self();
            calls += 1;
            let elapsed = (processor_time() - start).as_secs_f64();
            if elapsed > seconds {
                return elapsed / f64::from(calls);
            }
        }
    }
}

/// Seconds per call of one subject in each round.
pub struct Timing(Vec<f64>);

/// Measures all subjects in turn. The first burst of each warms up and is not counted.
pub fn in_turn<const N: usize>(mut subjects: [&mut dyn Subject; N]) -> [Timing; N] {
    let mut timings = [const { Timing(Vec::new()) }; N];
    for round in 0..=ROUNDS {
        for (subject, timing) in subjects.iter_mut().zip(&mut timings) {
            let seconds = subject.burst(BURST_SECONDS);
            if round > 0 {
                timing.0.push(seconds);
            }
        }
    }
    timings
}

impl Timing {
    /// Calls per second in the median round.
    pub fn per_second(&self) -> f64 {
        1.0 / quantile(&self.0, 0.5)
    }

    /// Half the distance between the quartiles, in per cent of the median.
    pub fn spread_percent(&self) -> f64 {
        let [low, median, high] = [0.25, 0.5, 0.75].map(|at| quantile(&self.0, at));
        (high - low) / 2.0 / median * 100.0
    }

    /// How many times as fast this is as `other`: the median of the rounds, each compared within itself.
    pub fn over(&self, other: &Self) -> f64 {
        let rounds = self.0.iter().zip(&other.0);
        let ratios: Vec<f64> = rounds.map(|(own, other)| other / own).collect();
        quantile(&ratios, 0.5)
    }

    /// A line for people.
    pub fn print(&self, name: &str, what: &str) {
        let (rate, spread) = (self.per_second(), self.spread_percent());
        println!("{name:<12} {rate:>9.0} per s ±{spread:.1} %  {what}");
    }
}

/// The line that a reader and a program both read: more than 1 means that we are faster.
pub fn print_ratio(name: &str, us: &Timing, peer: &Timing) {
    println!("ratio {name} {:.2}", us.over(peer));
}

/// Processor time of this thread so far.
pub fn processor_time() -> Duration {
    let time = clock_gettime(ClockId::ThreadCPUTime);
    time.try_into().expect("processor time is not negative")
}

fn quantile(values: &[f64], at: f64) -> f64 {
    let mut sorted = values.to_vec();
    sorted.sort_by(f64::total_cmp);
    sorted[((sorted.len() - 1) as f64 * at).round() as usize]
}
