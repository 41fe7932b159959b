//! What choosing a token costs: microseconds of the fastest of many rounds.
#![allow(clippy::print_stdout, clippy::unwrap_used, reason = "a tool")]

use std::time::Instant;

use engine::{Sampling, sampler::Sampler};

const ROUNDS: u64 = 200;

fn main() {
    println!("vocabulary spread sampling us");
    for vocabulary in [49_152, 151_936, 262_144] {
        for spread in [3.0, 1.0] {
            let logits = logits(vocabulary, spread);
            for (name, sampling) in samplings() {
                let us = cost_us(&logits, sampling);
                println!("{vocabulary:>10} {spread:>6} {name:>16} {us:>7.1}");
            }
        }
    }
}

fn samplings() -> [(&'static str, Sampling); 7] {
    let with = |change: fn(&mut Sampling)| {
        let mut sampling = Sampling::default();
        change(&mut sampling);
        sampling
    };
    [
        ("greedy", Sampling::greedy()),
        ("temperature", Sampling::default()),
        ("top_p 0.95", with(|s| s.top_p = 0.95)),
        ("top_k 40", with(|s| s.top_k = 40)),
        ("min_p 0.05", with(|s| s.min_p = 0.05)),
        (
            "all",
            with(|s| (s.top_k, s.top_p, s.min_p) = (40, 0.9, 0.05)),
        ),
        ("penalties", with(|s| s.frequency_penalty = 0.5)),
    ]
}

/// Nearly normal: the sum of four uniform numbers, as wide as a model's (3) or flatter (1).
fn logits(vocabulary: u32, spread: f32) -> Vec<f32> {
    let mut state = 0x2545_f491_4f6c_dd1d_u64;
    let mut uniform = || {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        (state >> 40) as f32 / 16_777_216.0 - 0.5
    };
    let mut normal = || (0..4).map(|_| uniform()).sum::<f32>() * 1.73;
    (0..vocabulary).map(|_| normal() * spread).collect()
}

fn cost_us(logits: &[f32], sampling: Sampling) -> f64 {
    let mut sampler = Sampler::new(sampling, logits.len()).unwrap();
    let round = |position| {
        let begun = Instant::now();
        sampler.choose(logits, None, position).unwrap();
        begun.elapsed().as_secs_f64() * 1e6
    };
    (0..ROUNDS).map(round).fold(f64::INFINITY, f64::min)
}
