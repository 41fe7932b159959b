//! The sampler against what it promises, and against a plain implementation of the same order.

use proptest::prelude::*;

use super::*;

const SEVEN: usize = 7;

fn sampler(sampling: Sampling) -> Sampler {
    Sampler::new(sampling, usize::MAX).unwrap()
}

fn at(temperature: f32, top_p: f32, seed: u64) -> Sampler {
    sampler(Sampling {
        temperature,
        top_p,
        seed,
        ..Sampling::default()
    })
}

/// The ids that come out at many positions, ascending.
fn seen(sampling: &Sampling, logits: &[f32]) -> Vec<u32> {
    let mut any = sampler(sampling.clone());
    let choices = (0..800).map(|p| any.choose(logits, None, p).unwrap());
    let mut ids: Vec<u32> = choices.collect();
    ids.sort_unstable();
    ids.dedup();
    ids
}

#[test]
fn greedy_takes_the_lowest_of_equals() {
    let mut greedy = at(0.0, 1.0, 0);
    assert_eq!(greedy.choose(&[1.0, 3.0, 3.0, 2.0], None, 0), Ok(1));
    assert_eq!(greedy.choose(&[f32::NEG_INFINITY, -5.0], None, 0), Ok(1));
}

#[test]
fn logits_that_are_no_numbers_are_an_error() {
    let none = Some(Allowed(&[0]));
    for temperature in [0.0, 1.0] {
        let mut any = at(temperature, 0.9, 0);
        for bad in [f32::NAN, f32::INFINITY] {
            let logits = [1.0, bad, 0.0];
            for allowed in [None, none, Some(Allowed(&[1]))] {
                assert_eq!(any.choose(&logits, allowed, 0), Err(SamplerError::Logits));
            }
        }
        let nothing = [f32::NEG_INFINITY];
        assert_eq!(any.choose(&nothing, None, 0), Err(SamplerError::Logits));
        assert_eq!(any.choose(&[], None, 0), Err(SamplerError::Logits));
        assert_eq!(any.choose(&[1.0], none, 0), Err(SamplerError::Logits));
    }
}

#[test]
fn frequencies_follow_the_distribution() {
    let logits = [0.0, 1.0, 2.0, f32::NEG_INFINITY];
    let mut counts = [0u32; 4];
    let mut any = at(1.0, 1.0, 7);
    for position in 0..20_000 {
        counts[any.choose(&logits, None, position).unwrap() as usize] += 1;
    }
    let total: f64 = [0.0f64, 1.0, 2.0].iter().map(|l| l.exp()).sum();
    for (count, logit) in counts.iter().zip([0.0f64, 1.0, 2.0]) {
        let expected = 20_000.0 * logit.exp() / total;
        assert!((f64::from(*count) - expected).abs() < 250.0, "{counts:?}");
    }
    assert_eq!(counts[3], 0);
}

#[test]
fn each_bound_leaves_what_it_says() {
    // Shares: 0.5, 0.3, 0.2, all but nothing.
    let logits = [0.5f32.ln(), 0.3f32.ln(), 0.2f32.ln(), -30.0];
    let of = |top_k, top_p, min_p| {
        let sampling = Sampling {
            top_k,
            top_p,
            min_p,
            ..Sampling::default()
        };
        seen(&sampling, &logits)
    };
    assert_eq!(of(0, 0.4, 0.0), [0]);
    assert_eq!(of(0, 0.7, 0.0), [0, 1]);
    assert_eq!(of(0, 0.9, 0.0), [0, 1, 2]);
    assert_eq!(of(1, 1.0, 0.0), [0]);
    assert_eq!(of(2, 1.0, 0.0), [0, 1]);
    assert_eq!(of(3, 1.0, 0.0), [0, 1, 2]);
    assert_eq!(of(u32::MAX, 1.0, 0.0), [0, 1, 2]);
    assert_eq!(of(0, 1.0, 0.7), [0]);
    assert_eq!(of(0, 1.0, 0.5), [0, 1]);
    assert_eq!(of(0, 1.0, 0.1), [0, 1, 2]);
    assert_eq!(of(0, 1.0, 1.0), [0]);
    assert_eq!(of(2, 0.6, 0.0), [0], "0.5 of the 0.8 that top_k leaves");
    assert_eq!(of(0, 0.6, 0.0), [0, 1]);
    assert_eq!(of(0, 0.9, 0.5), [0, 1], "top_p first, then min_p");
}

#[test]
fn of_equals_the_lowest_ids_stay() {
    let top_k = Sampling {
        top_k: 3,
        ..Sampling::default()
    };
    assert_eq!(seen(&top_k, &[1.0; 200]), [0, 1, 2]);
    let top_p = Sampling {
        top_p: 0.02,
        ..Sampling::default()
    };
    assert_eq!(seen(&top_p, &[1.0; 200]), [0, 1, 2, 3]);
}

#[test]
fn bounds_are_of_the_distribution_at_its_temperature() {
    // At temperature 4 the shares are nearly equal, and half of them is more than one token.
    let logits = [4.0, 3.0, 2.0, 1.0];
    let of = |temperature| {
        let sampling = Sampling {
            temperature,
            top_p: 0.5,
            ..Sampling::default()
        };
        seen(&sampling, &logits)
    };
    assert_eq!(of(1.0), [0]);
    assert_eq!(of(4.0), [0, 1]);
}

#[test]
fn penalties_count_the_tokens_of_the_answer() {
    let greedy = |frequency_penalty, presence_penalty| {
        sampler(Sampling {
            frequency_penalty,
            presence_penalty,
            ..Sampling::greedy()
        })
    };
    let run = |mut any: Sampler, logits: &[f32]| -> Vec<u32> {
        (0..6)
            .map(|p| any.choose(logits, None, p).unwrap())
            .collect()
    };
    let logits = [2.0, 1.6, 0.0];
    assert_eq!(run(greedy(0.0, 0.0), &logits), [0, 0, 0, 0, 0, 0]);
    assert_eq!(run(greedy(0.5, 0.0), &logits), [0, 1, 0, 1, 0, 1]);
    assert_eq!(run(greedy(0.0, 0.5), &logits), [0, 1, 0, 0, 0, 0]);
    assert_eq!(run(greedy(-0.5, 0.0), &logits), [0, 0, 0, 0, 0, 0]);
    // After 0: 0.5, 1.6, 0. After 1: 0.5, 0.1, 0. Then 0 has -1 and 1 has 0.1.
    assert_eq!(run(greedy(1.5, 0.0), &logits), [0, 1, 0, 1, 2, 0]);
}

#[test]
fn bias_and_masks_decide_greedy_answers_too() {
    let mut biased = sampler(Sampling {
        logit_bias: vec![(2, 100.0), (0, -100.0)],
        ..Sampling::greedy()
    });
    let logits = [50.0, 1.0, 0.0];
    assert_eq!(biased.choose(&logits, None, 0), Ok(2));
    assert_eq!(biased.choose(&logits, Some(Allowed(&[0b011])), 0), Ok(1));
}

#[test]
fn tokens_behind_the_mask_are_not_allowed() {
    let logits: Vec<f32> = (0..100).map(|i| i as f32).collect();
    let mut greedy = at(0.0, 1.0, 0);
    assert_eq!(greedy.choose(&logits, Some(Allowed(&[1 << 31])), 0), Ok(31));
    let words = [0, u32::MAX, 0];
    assert_eq!(greedy.choose(&logits, Some(Allowed(&words)), 0), Ok(63));
}

#[test]
fn seed_and_position_decide() {
    let logits = [0.0; 1000];
    let run = |seed| -> Vec<u32> {
        let mut any = at(0.8, 0.95, seed);
        (0..50)
            .map(|p| any.choose(&logits, None, p).unwrap())
            .collect()
    };
    assert_eq!(run(1), run(1));
    assert_ne!(run(1), run(2));
    assert!(run(1).windows(2).any(|pair| pair[0] != pair[1]));
}

#[test]
fn the_smallest_temperatures_are_greedy() {
    let mut cold = at(f32::from_bits(1), 1.0, 9);
    assert_eq!(cold.choose(&[1.0, 1.5, 0.0], None, 4), Ok(1));
}

#[test]
fn choices_are_published() {
    let logits: Vec<f32> = (0..5000)
        .map(|i| ((i * 7919) % 5003) as f32 * 0.002)
        .collect();
    let mut any = sampler(Sampling {
        temperature: 0.9,
        top_k: 3000,
        top_p: 0.9,
        min_p: 0.01,
        frequency_penalty: 0.5,
        seed: 42,
        ..Sampling::default()
    });
    let ids: Vec<u32> = (0..8)
        .map(|p| any.choose(&logits, None, p).unwrap())
        .collect();
    assert_eq!(ids, PUBLISHED, "receipts of these answers exist");
}

const PUBLISHED: [u32; 8] = [3035, 4917, 4121, 3637, 1611, 1563, 1098, 1774];

/// The definition, by sorting everything: the ids that may come out.
fn left(logits: &[f32], sampling: &Sampling) -> Vec<u32> {
    let max = logits.iter().copied().fold(f32::NEG_INFINITY, f32::max);
    let weight = |l: &f32| (f64::from(l - max) / f64::from(sampling.temperature)).exp();
    let mut ranked: Vec<(u32, f64)> = (0..).zip(logits.iter().map(weight)).collect();
    ranked.sort_by(|a, b| b.1.total_cmp(&a.1).then(a.0.cmp(&b.0)));
    if sampling.top_k > 0 {
        ranked.truncate(sampling.top_k as usize);
    }
    let wanted = ranked.iter().map(|(_, w)| w).sum::<f64>() * f64::from(sampling.top_p);
    let mut sum = 0.0;
    ranked.retain(|(_, weight)| {
        let within = sampling.top_p >= 1.0 || sum < wanted;
        sum += weight;
        within && *weight >= f64::from(sampling.min_p)
    });
    let mut ids: Vec<u32> = ranked.into_iter().map(|(id, _)| id).collect();
    ids.sort_unstable();
    ids
}

proptest! {
    /// Logits are sevenths, so that no boundary lies within rounding of another.
    #[test]
    fn what_is_left_is_what_the_definition_leaves(
        sevenths in prop::collection::vec(-100i8..100, 1..400),
        top_k in 0u32..50,
        top_p in prop::sample::select(vec![0.1f32, 0.533, 0.9, 0.977, 1.0]),
        min_p in prop::sample::select(vec![0.0f32, 0.013, 0.21, 0.77]),
        temperature in prop::sample::select(vec![0.31f32, 1.0, 3.7]),
    ) {
        let logits: Vec<f32> = sevenths.iter().map(|i| f32::from(*i) / SEVEN as f32).collect();
        let sampling = Sampling { temperature, top_p, top_k, min_p, ..Sampling::default() };
        let max = logits.iter().copied().fold(f32::NEG_INFINITY, f32::max);
        let mut weights = Weights::default();
        weights.set(&logits, max, temperature);
        let mut ids: Vec<u32> = match likeliest::kept(&weights, &sampling) {
            Some(kept) => kept.iter().map(|(id, _)| *id).collect(),
            None => (0..).take(logits.len()).collect(),
        };
        ids.sort_unstable();
        prop_assert_eq!(ids, left(&logits, &sampling));
    }
}
