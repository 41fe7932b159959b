//! The fast arithmetic: logits near the CPU's, and answers that do not depend on company.

use std::sync::Arc;

use engine::{
    decoder::{Decoder, KvCache, KvTable, Part},
    local::{Capacity, Forward},
};
use gpu::{DeviceError, GpuDecoder};

use crate::{
    device::Emulated,
    families::{CAPACITY, Case, bits, cases, model, step},
    gguf_file,
};

/// Root mean square of what logits differ by, as a part of how far they are from each other.
const NEAR: f64 = 0.03;

/// Models that the fast arithmetic has operations for, at several capacities: single tokens are multiplied by `fast_gemv` where there
/// are few sequences, and by `fast_gemm` where there can be more.
const CAPACITIES: [Capacity; 2] = [
    CAPACITY,
    Capacity {
        sequences: 12,
        ..CAPACITY
    },
];

pub(crate) fn is_supported(case: &Case) -> bool {
    let config = case.model.config();
    config.head_width == 64 && !config.family.has_post_norms()
}

fn decoder(case: &Case, capacity: Capacity) -> GpuDecoder<Emulated> {
    let device = Arc::new(Emulated::default());
    GpuDecoder::fast(&device, &case.model, capacity).unwrap()
}

fn distance(logits: &[u32], expected: &[f32]) -> f64 {
    let count = expected.len() as f64;
    let mean = expected.iter().map(|v| f64::from(*v)).sum::<f64>() / count;
    let spread: f64 = expected
        .iter()
        .map(|v| (f64::from(*v) - mean).powi(2))
        .sum();
    let pairs = logits.iter().zip(expected);
    let errors = pairs.map(|(a, e)| (f64::from(f32::from_bits(*a)) - f64::from(*e)).powi(2));
    (errors.sum::<f64>() / spread).sqrt()
}

#[test]
fn logits_are_near_the_cpus() {
    let mut seen = 0;
    for case in cases().filter(is_supported) {
        seen += 1;
        for capacity in CAPACITIES {
            let mut decoder = decoder(&case, capacity);
            let mut reference = Decoder::new(Arc::clone(&case.model), 1);
            let mut cache = KvCache::new(&case.model, case.tokens.len());
            let mut table = KvTable::default();
            let (prompt, answer) = case.tokens.split_at(33);
            for tokens in prompt.chunks(19).chain(answer.chunks(1)) {
                let logits = step(&mut decoder, &mut table, tokens).unwrap();
                let expected = reference.forward(tokens, &mut cache).unwrap();
                let distance = distance(&logits, expected);
                assert!(distance < NEAR, "{}: {distance}", case.name);
            }
            decoder.pool().release(table);
            assert_eq!(decoder.pages().memory().is_blank(), Ok(true));
        }
    }
    assert_eq!(seen, 6);
}

/// What each token of `tokens[from..]` gives, taken alone.
fn alone(decoder: &mut GpuDecoder<Emulated>, tokens: &[u32], from: usize) -> Vec<Vec<u32>> {
    let mut table = KvTable::default();
    step(decoder, &mut table, &tokens[..from]).unwrap();
    let singles = tokens[from..].chunks(1);
    let logits = singles.map(|token| step(decoder, &mut table, token).unwrap());
    let logits = logits.collect();
    decoder.pool().release(table);
    logits
}

#[test]
fn an_answer_does_not_depend_on_company() {
    for case in cases().filter(is_supported) {
        for capacity in CAPACITIES {
            let mut decoder = decoder(&case, capacity);
            let rotated = |by: usize| [&case.tokens[by..], &case.tokens[..by]].concat();
            let sequences = [rotated(0), rotated(3), rotated(11)];
            // Two answer, one is in its prompt.
            let begun = [19, 5, 1];
            let expected: Vec<_> = [0, 1]
                .map(|index| {
                    alone(
                        &mut decoder,
                        &sequences[index][..begun[index] + 3],
                        begun[index],
                    )
                })
                .into();
            let mut tables: [KvTable; 3] = Default::default();
            for (index, table) in tables.iter_mut().enumerate() {
                step(&mut decoder, table, &sequences[index][..begun[index]]).unwrap();
            }
            let expected = (0..3).map(|at| [expected[1][at].clone(), expected[0][at].clone()]);
            for (at, expected) in expected.enumerate() {
                let mut parts = Vec::new();
                for (index, table) in tables.iter_mut().enumerate().rev() {
                    let share = if index == 2 { 7 } else { 1 };
                    decoder.pool().reserve(table, share).unwrap();
                    let tokens = &sequences[index][table.len()..][..share];
                    parts.push(Part {
                        tokens,
                        table,
                        wants_logits: index != 2 || at == 2,
                    });
                }
                let rows: Vec<_> = decoder.step(&mut parts).unwrap().map(bits).collect();
                assert!(rows.ends_with(&expected), "{} {at}", case.name);
            }
            tables
                .into_iter()
                .for_each(|table| decoder.pool().release(table));
        }
    }
}

#[test]
fn models_without_operations_are_refused() {
    for case in cases().filter(|case| !is_supported(case)) {
        let device = Arc::new(Emulated::default());
        let refused = GpuDecoder::fast(&device, &case.model, CAPACITY);
        let refused = refused.err().unwrap();
        assert!(matches!(refused, DeviceError::UnsupportedModel(_)));
    }
}

#[test]
fn a_weight_that_the_device_does_not_keep_is_noticed() {
    let model = model(&gguf_file::llama(1).bytes());
    let device = Arc::new(Emulated::forgetful(4096));
    let refused = GpuDecoder::fast(&device, &model, CAPACITY).err().unwrap();
    assert_eq!(refused, DeviceError::Corrupted);
    assert_eq!(refused.code(), "gpu.corrupted");
}

#[test]
fn a_prompt_cut_into_pieces_of_several_tokens_gives_the_same_bits() {
    let case = cases().find(is_supported).unwrap();
    for capacity in CAPACITIES {
        let mut decoder = decoder(&case, capacity);
        let cut = [[40, 40], [33, 7], [2, 38]].map(|[first, second]| {
            let mut table = KvTable::default();
            let (begin, rest) = case.tokens.split_at(first);
            let pieces = [begin, &rest[..second.min(rest.len())]];
            let pieces = pieces.into_iter().filter(|piece| !piece.is_empty());
            let logits = pieces.map(|piece| step(&mut decoder, &mut table, piece).unwrap());
            let last = logits.last().unwrap();
            decoder.pool().release(table);
            last
        });
        assert!(cut[0] == cut[1] && cut[0] == cut[2], "{}", case.name);
    }
}
