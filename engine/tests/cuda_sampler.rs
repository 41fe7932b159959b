//! Tokens that the CUDA operations choose, run on the CPU, against those of the sampler.

use crate::cuda_cpu::{Arguments, Memory, Shape, in_both_orders, library};
use engine::{Sampling, sampler::Sampler};

/// As the entry points take it.
#[derive(Clone, Copy)]
#[repr(C)]
struct Choice {
    seed: u64,
    position: u64,
    inverse: f64,
    top_p: f64,
    min_p: f64,
    top_k: u32,
    unused: u32,
}

impl Choice {
    fn new(sampling: &Sampling, position: u64) -> Self {
        let temperature = f64::from(sampling.temperature);
        Self {
            seed: sampling.seed,
            position,
            inverse: if temperature > 0.0 {
                1.0 / temperature
            } else {
                0.0
            },
            top_p: f64::from(sampling.top_p),
            min_p: f64::from(sampling.min_p),
            top_k: sampling.top_k,
            unused: 0,
        }
    }
}

/// One row for each of the samplings, all of the same logits.
fn chosen_on_device(logits: &[f32], choices: &[Choice]) -> Vec<u32> {
    let (vocabulary, wanted) = (logits.len(), choices.len());
    let (logits, choices) = (Memory::of(&logits.repeat(wanted)), Memory::of(choices));
    let chosen = Memory::<u32>::unwritten(wanted);
    let weights = Memory::<f64>::unwritten(wanted * vocabulary);
    let sums = Memory::<[f64; 2]>::unwritten(wanted * vocabulary.div_ceil(64));
    let (tokens, kept) = (
        Memory::<u32>::unwritten(wanted * vocabulary),
        Memory::<f64>::unwritten(wanted * vocabulary),
    );
    let size = vocabulary as u32;
    let launch = |entry, blocks: usize, arguments| {
        let shape = Shape::plane(wanted as u32, blocks as u32, 256);
        assert_eq!(library().launch(entry, shape, arguments), Ok(()), "{entry}");
    };
    let greedy = Arguments::new().memory(&logits).memory(&chosen);
    launch("exact_argmax", 1, greedy.value(size).value(size));
    let weigh = Arguments::new().memory(&logits).memory(&chosen);
    let weigh = weigh.memory(&choices).memory(&weights).memory(&sums);
    let blocks = vocabulary.div_ceil(2048);
    launch("exact_weigh", blocks, weigh.value(size).value(size));
    let all = Arguments::new().memory(&weights).memory(&sums);
    let all = all.memory(&choices).memory(&chosen);
    launch("exact_pick", 1, all.value(size));
    let likeliest = Arguments::new().memory(&weights).memory(&sums);
    let likeliest = likeliest.memory(&choices).memory(&tokens).memory(&kept);
    launch(
        "exact_pick_likeliest",
        1,
        likeliest.memory(&chosen).value(size),
    );
    chosen.read()
}

/// The samplings that are tried with each distribution.
fn samplings() -> Vec<Sampling> {
    let mut all = Vec::new();
    for temperature in [0.0, 0.3, 1.0, 3.0] {
        for top_k in [0, 1, 40, 1000] {
            for (top_p, min_p) in [
                (1.0, 0.0),
                (0.9, 0.0),
                (0.35, 0.0),
                (1.0, 0.05),
                (0.97, 0.3),
            ] {
                all.push(Sampling {
                    temperature,
                    top_k,
                    top_p,
                    min_p,
                    seed: 0x5eed_0000_0000_0001,
                    ..Sampling::default()
                });
            }
        }
    }
    all
}

fn noise(count: usize) -> impl Iterator<Item = f32> {
    (0..count as u64).map(|i| {
        let mixed = (i + 1).wrapping_mul(0x9e37_79b9_7f4a_7c15);
        (mixed ^ mixed >> 29).wrapping_mul(0xbf58_476d_1ce4_e5b9) as u32 as f32 / 4e9
    })
}

fn check(name: &str, logits: &[f32]) {
    for position in [7, 1 << 40] {
        let samplings = samplings();
        let choices: Vec<_> = samplings.iter().map(|s| Choice::new(s, position)).collect();
        let got = in_both_orders(|| chosen_on_device(logits, &choices));
        for (sampling, got) in samplings.into_iter().zip(got) {
            let told = format!(
                "{name} {position} {} {} {} {}",
                sampling.temperature, sampling.top_k, sampling.top_p, sampling.min_p
            );
            let mut sampler = Sampler::new(sampling, logits.len()).unwrap();
            assert_eq!(Ok(got), sampler.choose(logits, None, position), "{told}");
        }
    }
}

#[test]
fn logits_of_all_sizes() {
    check("spread", &noise(2500).map(|x| 30.0 * x).collect::<Vec<_>>());
    check("close", &noise(1300).collect::<Vec<_>>());
}

#[test]
fn equal_logits_go_by_their_ids() {
    check("equal", &[1.5; 1100]);
    check(
        "few values",
        &noise(1500).map(|x| (4.0 * x).round()).collect::<Vec<_>>(),
    );
}

#[test]
fn tokens_that_are_ruled_out() {
    let logits = noise(1400).enumerate();
    let masked = logits.map(|(id, x)| {
        if id % 50 == 3 {
            9.0 * x
        } else {
            f32::NEG_INFINITY
        }
    });
    check("masked", &masked.collect::<Vec<_>>());
}

#[test]
fn vocabularies_of_any_size() {
    for vocabulary in [1, 2, 63, 65, 257] {
        let logits: Vec<f32> = noise(vocabulary).map(|x| 8.0 * x).collect();
        check("small", &logits);
    }
}

/// Where the sampler refuses, nothing is chosen, however the token would have been drawn.
#[test]
fn logits_that_are_no_numbers() {
    for (fault, at) in [(f32::NAN, 0), (f32::NAN, 1100), (f32::INFINITY, 70)] {
        let mut logits: Vec<f32> = noise(1300).collect();
        logits[at] = fault;
        let choices = samplings().into_iter().map(|s| Choice::new(&s, 7));
        let choices: Vec<_> = choices.collect();
        let got = in_both_orders(|| chosen_on_device(&logits, &choices));
        for (sampling, got) in samplings().into_iter().zip(got) {
            let mut sampler = Sampler::new(sampling, logits.len()).unwrap();
            assert!(sampler.choose(&logits, None, 7).is_err(), "{fault}");
            assert_eq!(got, u32::MAX, "{fault}");
        }
    }
}

#[test]
fn one_likely_token_among_many() {
    let mut logits: Vec<f32> = noise(3000).map(|x| 5.0 * x).collect();
    logits[2000] = 20.0;
    check("one", &logits);
}
