//! What the time until the first token tells of others' prompts: `cache_probe MODEL.gguf [ROUNDS]`.
//!
//! In each round a victim asks something new. Then the time until the first token of the same prompt is measured with another
//! secret, with none, with a prompt that nobody asked, and with the victim's secret: only this last one may be told apart.
//! Printed are medians, and the part of rounds in which a probe is faster than the prompt that nobody asked: near 0.5 is no
//! knowledge, 1.0 is certainty.
#![allow(
    clippy::print_stdout,
    clippy::unwrap_used,
    clippy::indexing_slicing,
    reason = "a measuring program, run by scripts/bench"
)]

use std::{env, error::Error, path::Path, time::Instant};

use engine::{
    CacheSecret, Engine, Job, Prompt, Sampling, Step, TenantId,
    local::{LocalConfig, LocalEngine},
};

/// Tokens of a prompt.
const LENGTH: u32 = 256;
const VICTIM: Option<CacheSecret> = Some(CacheSecret([1; 32]));
const OTHER: Option<CacheSecret> = Some(CacheSecret([2; 32]));

fn main() -> Result<(), Box<dyn Error>> {
    let mut arguments = env::args().skip(1);
    let model = arguments.next().ok_or("no model given")?;
    let rounds = arguments.next().map_or(Ok(40), |n| n.parse())?;
    let engine = LocalEngine::load(Path::new(&model), LocalConfig::default())?;
    let mut times: [Vec<(f64, u32)>; 4] = Default::default();
    for round in 0..rounds {
        ask(&engine, 2 * round, VICTIM);
        // Nobody asked the odd ones. The order changes from round to round; the control comes last, since it changes nothing.
        let probes = [(2 * round + 1, None), (2 * round, OTHER), (2 * round, None)];
        for index in 0..3 {
            let probe = (index + round as usize) % 3;
            let (prompt, secret) = probes[probe].clone();
            times[probe].push(ask(&engine, prompt, secret));
        }
        times[3].push(ask(&engine, 2 * round, VICTIM));
    }
    let names = [
        "nobody asked",
        "another secret",
        "no secret",
        "the victim's secret",
    ];
    println!(
        "{:<20} {:>10} {:>14} {:>8}",
        "probe", "median ms", "cached tokens", "faster"
    );
    for (name, own) in names.iter().zip(&times) {
        let cached = own.iter().map(|(_, cached)| cached).max().unwrap();
        println!(
            "{name:<20} {:>10.2} {cached:>14} {:>8.2}",
            median(own),
            faster(own, &times[0])
        );
    }
    Ok(())
}

/// Milliseconds until the first token, and the prompt's cached tokens.
fn ask(engine: &LocalEngine, prompt: u32, secret: Option<CacheSecret>) -> (f64, u32) {
    let token = |i: u32| 100 + (i * 7919 + prompt * 104_729) % 40_000;
    let mut job = Job::new(Prompt::tokens((0..LENGTH).map(token).collect::<Vec<_>>()));
    job.max_tokens = Some(1);
    job.sampling = Sampling::greedy();
    job.tenant = TenantId([9; 32]);
    job.cache_secret = secret;
    let begun = Instant::now();
    let mut steps = engine.submit(job).unwrap();
    let mut cached = 0;
    loop {
        match steps.blocking_recv().unwrap() {
            Step::Begun { cached_tokens, .. } => cached = cached_tokens,
            _ => return (begun.elapsed().as_secs_f64() * 1e3, cached),
        }
    }
}

fn median(times: &[(f64, u32)]) -> f64 {
    let mut times: Vec<f64> = times.iter().map(|(time, _)| *time).collect();
    times.sort_by(f64::total_cmp);
    times[times.len() / 2]
}

/// Part of all pairs in which the first is faster; equal ones count half.
fn faster(own: &[(f64, u32)], base: &[(f64, u32)]) -> f64 {
    let pairs = own
        .iter()
        .flat_map(|a| base.iter().map(move |b| (a.0, b.0)));
    let won = pairs.map(|(a, b)| {
        if a < b {
            1.0
        } else if a > b {
            0.0
        } else {
            0.5
        }
    });
    won.sum::<f64>() / (own.len() * base.len()) as f64
}
