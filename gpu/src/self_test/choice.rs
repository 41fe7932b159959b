//! Tokens chosen where the logits are.

use engine::{
    Sampling,
    sampler::{Sampler, SamplerError},
};

use super::{Answers, SelfTestError, bench::Bench, noise::Noise};
use crate::{
    Device,
    operations::{Choose, choice_bytes, sum_bytes, weight_bytes},
};

/// More than a block of threads weighs, and no whole number of panels.
const VOCABULARY: usize = 2500;
const STRIDE: usize = 2512;
const SEED: u64 = 0x0123_4567_89ab_cdef;
/// Of each row: temperature, `top_p`, `min_p`, `top_k`; the first is greedy.
const SAMPLINGS: [(f32, f32, f32, u32); 7] = [
    (0.0, 1.0, 0.0, 0),
    (1.0, 1.0, 0.0, 0),
    (0.3, 1.0, 0.0, 0),
    (1.9, 0.6, 0.0, 0),
    (0.8, 1.0, 0.1, 0),
    (1.1, 1.0, 0.0, 40),
    (0.9, 0.8, 0.05, 100),
];

pub(super) fn test<D: Device>(
    bench: &mut Bench<D>,
    answers: &mut Answers,
) -> Result<(), SelfTestError> {
    let rows = SAMPLINGS.len();
    let logits = Noise::new(301).floats(rows * STRIDE);
    let samplers = SAMPLINGS.map(sampler).into_iter();
    let mut samplers = samplers.collect::<Result<Vec<_>, _>>()?;
    let plain = (0..).zip(&samplers);
    let choices: Vec<u8> = plain
        .flat_map(|(position, sampler)| choice_bytes(sampler.plain(position)))
        .collect();
    let choose = Choose {
        logits: bench.arena.floats(&logits)?,
        stride: STRIDE,
        vocabulary: VOCABULARY,
        choices: bench.arena.copied(&choices)?,
        weights: bench.arena.bytes(rows * weight_bytes(VOCABULARY))?,
        sums: bench.arena.bytes(rows * sum_bytes(VOCABULARY))?,
        tokens: bench.arena.words(rows * VOCABULARY)?,
        kept: bench.arena.bytes(rows * weight_bytes(VOCABULARY))?,
        chosen: bench.arena.words(rows)?,
        rows,
    };
    bench.run(&choose.launches())?;
    let answer = bench.floats(choose.chosen, rows)?;
    let expected = (0..).zip(logits.chunks_exact(STRIDE)).zip(&mut samplers);
    let expected = expected.map(|((position, row), sampler)| {
        let chosen = sampler.choose(row.split_at(VOCABULARY).0, None, position);
        chosen
            .map(f32::from_bits)
            .map_err(|error| impossible(&error))
    });
    let expected = expected.collect::<Result<Vec<_>, _>>()?;
    answers.take("exact_argmax to exact_pick_likeliest", &answer, &expected)
}

/// What the engine chooses with.
fn sampler(
    (temperature, top_p, min_p, top_k): (f32, f32, f32, u32),
) -> Result<Sampler, SelfTestError> {
    let sampling = Sampling {
        temperature,
        top_p,
        min_p,
        top_k,
        seed: SEED,
        ..Sampling::default()
    };
    Sampler::new(sampling, VOCABULARY).map_err(|error| impossible(&error))
}

fn impossible(error: &SamplerError) -> SelfTestError {
    SelfTestError::WrongAnswer(error.to_string())
}
