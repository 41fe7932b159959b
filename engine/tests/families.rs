//! Random tiny models of each family against llama.cpp, position by position (`families/make.py` wrote the cases).
//!
//! Weights, keys and values are F32 on both sides. llama.cpp computes products in F32; ours have activations of 16-bit integers
//! in blocks of 32, an error of up to 1.5e-5 of a block's largest value in each, which layers of random weights (worse than
//! trained ones, with logits up to 20 apart) make some thousandths of a nat: 0.006 at most in these cases. For Gemma llama.cpp
//! takes GELU from a table of F16, an error of up to 5e-4 of each value, hence the wider bound. A family's addition that is left
//! out or wrong shows as whole nats.

use crate::tiny;
use std::{collections::BTreeMap, sync::Arc};

use engine::{
    decoder::{Decoder, KvCache},
    gguf::Gguf,
    model::Model,
};
use serde_json::Value;

/// Largest difference of a log-probability to llama.cpp's.
const TOLERANCE: f64 = 0.01;
/// The same for Gemma.
const TOLERANCE_GELU: f64 = 0.02;

struct Case {
    name: String,
    tokens: Vec<u32>,
    /// Log-probabilities after so many tokens.
    positions: BTreeMap<usize, Vec<f64>>,
    model: Arc<Model>,
}

fn cases() -> Vec<Case> {
    tiny::cases().iter().map(case).collect()
}

fn case(json: &Value) -> Case {
    let list = |field: &str| json[field].as_array().unwrap().iter();
    let rows = list("log_probabilities").map(|row| {
        let row = row.as_array().unwrap().iter();
        row.map(|value| value.as_f64().unwrap()).collect()
    });
    let positions = list("positions").map(|n| n.as_u64().unwrap() as usize);
    Case {
        name: json["name"].as_str().unwrap().to_owned(),
        tokens: tiny::tokens(json),
        positions: positions.zip(rows).collect(),
        model: Arc::new(
            Model::take(&mut Gguf::from_bytes(tiny::file(json).bytes()).unwrap()).unwrap(),
        ),
    }
}

fn log_probabilities(logits: &[f32]) -> Vec<f64> {
    let logits = logits.iter().copied().map(f64::from);
    let total = logits.clone().map(f64::exp).sum::<f64>().ln();
    logits.map(|logit| logit - total).collect()
}

/// Largest difference of any log-probability at any of the case's positions.
fn difference(case: &Case) -> f64 {
    let mut decoder = Decoder::new(Arc::clone(&case.model), 2);
    let mut cache = KvCache::new(&case.model, case.tokens.len());
    let mut worst = 0.0_f64;
    for (length, expected) in &case.positions {
        let more = &case.tokens[cache.len()..*length];
        let ours = log_probabilities(decoder.forward(more, &mut cache).unwrap());
        assert_eq!(ours.len(), expected.len());
        let differences = ours.iter().zip(expected).map(|(a, b)| (a - b).abs());
        worst = differences.fold(worst, f64::max);
    }
    worst
}

#[test]
fn every_family_agrees_with_llama_cpp() {
    for case in cases() {
        let worst = difference(&case);
        let gelu = case.name.starts_with("gemma");
        let tolerance = if gelu { TOLERANCE_GELU } else { TOLERANCE };
        println!("{}: {worst:.5}", case.name);
        assert!(worst <= tolerance, "{} differs by {worst}", case.name);
    }
}

#[test]
fn chunks_and_threads_change_no_bit() {
    for case in cases() {
        let run = |threads, chunk| {
            let mut decoder = Decoder::new(Arc::clone(&case.model), threads);
            let mut cache = KvCache::new(&case.model, case.tokens.len());
            let mut logits = Vec::new();
            for tokens in case.tokens.chunks(chunk) {
                logits = decoder.forward(tokens, &mut cache).unwrap().to_vec();
            }
            logits.into_iter().map(f32::to_bits).collect::<Vec<_>>()
        };
        let whole = run(1, usize::MAX);
        assert_eq!(run(3, 1), whole, "{}", case.name);
        assert_eq!(run(2, 7), whole, "{}", case.name);
    }
}

#[test]
fn the_scalar_path_gives_the_same_bits() {
    for case in cases() {
        let run = |isa| {
            let mut decoder = Decoder::with_isa(Arc::clone(&case.model), 1, isa);
            let mut cache = KvCache::new(&case.model, case.tokens.len());
            let logits = decoder.forward(&case.tokens, &mut cache).unwrap();
            logits.iter().map(|l| l.to_bits()).collect::<Vec<_>>()
        };
        let (scalar, fast) = (kernels::Isa::scalar(), kernels::Isa::detect());
        assert_eq!(run(scalar), run(fast), "{}", case.name);
    }
}

#[test]
fn what_overflows_is_no_number_on_every_path() {
    for json in tiny::cases() {
        let mut file = tiny::file(&json);
        let weights = &mut file.named("blk.0.attn_output.weight").bytes;
        let quads = weights.as_chunks_mut::<4>().0.iter_mut();
        quads.for_each(|weight| *weight = f32::MAX.to_le_bytes());
        let mut gguf = Gguf::from_bytes(file.bytes()).unwrap();
        let model = Arc::new(Model::take(&mut gguf).unwrap());
        for isa in kernels::Isa::all_here() {
            let mut decoder = Decoder::with_isa(Arc::clone(&model), 1, isa);
            let mut cache = KvCache::new(&model, 8);
            let logits = decoder.forward(&[1, 2, 3], &mut cache).unwrap();
            assert!(logits.iter().all(|logit| logit.is_nan()), "{isa:?}");
        }
    }
}
