//! Timing: the best of several short bursts, us and the peer in turn, so that a noisy neighbour hits both alike.

use std::time::Instant;

const ROUNDS: usize = 7;
const BURST_SECONDS: f64 = 0.25;

/// Seconds per call of each of two things, measured in turn: the best burst of each.
pub fn in_turn(mut us: impl FnMut(), mut peer: impl FnMut()) -> (f64, f64) {
    let mut best = (f64::INFINITY, f64::INFINITY);
    for _ in 0..ROUNDS {
        best.0 = best.0.min(burst(&mut us));
        best.1 = best.1.min(burst(&mut peer));
    }
    best
}

fn burst(call: &mut impl FnMut()) -> f64 {
    let (start, mut calls) = (Instant::now(), 0_u32);
    loop {
        call();
        calls += 1;
        let elapsed = start.elapsed().as_secs_f64();
        if elapsed > BURST_SECONDS {
            return elapsed / f64::from(calls);
        }
    }
}

/// The line that a reader and a program both read: more than 1 means that we are faster.
pub fn print_ratio(name: &str, us: f64, peer: f64) {
    println!("ratio {name} {:.2}", peer / us);
}
