//! Gemma 3 270M (Q5_0, Q8_0, Q4_K and Q6_K in one file) against llama.cpp on the licence of this repository, token by token, up to
//! and beyond the sliding window of 512 tokens (`gemma/make.py` asked llama.cpp).
//!
//! llama.cpp rounds activations to eight bits and takes GELU from a table of F16; ours have sixteen bits. Measured: up to 0.16
//! in the likeliest token's log-probability, and among the 20 likeliest up to 0.86 after 32 tokens, up to 0.47 elsewhere. The
//! bounds are set just above that. How much of it is llama.cpp's rounding is not known: no independent float32 pass of this
//! model has been compared with either. `families.rs` has the tight comparison of the same code, without quantisation.
#![expect(clippy::unwrap_used, clippy::expect_used, reason = "a test")]

mod real_model;

use std::{fs, path::Path, sync::Arc};

use engine::{
    decoder::{Decoder, KvCache},
    gguf::Gguf,
    model::{Family, Model},
};

/// Largest difference of the likeliest token's log-probability.
const LIKELIEST: f64 = 0.2;
/// Largest difference among the 20 likeliest.
const LIKELIEST_20: f64 = 1.0;

/// After so many tokens, the likeliest next ones.
struct Case {
    tokens: usize,
    likeliest: Vec<(usize, f64)>,
}

fn cases() -> (Vec<u32>, Vec<Case>) {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/gemma/llamacpp.tsv");
    let text = fs::read_to_string(path).unwrap();
    let mut lines = text.lines();
    let ids = lines.next().unwrap().split('\t');
    let ids = ids.map(|id| id.parse().unwrap()).collect();
    let case = |line: &str| {
        let mut fields = line.split('\t');
        let pair = |field: &str| {
            let (id, log_probability) = field.split_once(':').unwrap();
            (id.parse().unwrap(), log_probability.parse().unwrap())
        };
        Case {
            tokens: fields.next().unwrap().parse().unwrap(),
            likeliest: fields.map(pair).collect(),
        }
    };
    (ids, lines.map(case).collect())
}

fn model() -> Arc<Model> {
    let mut gguf = Gguf::open(&real_model::gemma()).unwrap();
    Arc::new(Model::take(&mut gguf).unwrap())
}

fn log_probabilities(logits: &[f32]) -> Vec<f64> {
    let largest = logits.iter().copied().fold(f32::MIN, f32::max);
    let shifted = logits.iter().map(|l| f64::from(*l) - f64::from(largest));
    let total = shifted.clone().map(f64::exp).sum::<f64>().ln();
    shifted.map(|l| l - total).collect()
}

#[test]
fn gemma_agrees_with_llama_cpp() {
    let model = model();
    assert_eq!(model.config().family, Family::Gemma3);
    let mut decoder = Decoder::new(Arc::clone(&model), 0);
    let mut cache = KvCache::new(&model, 1024);
    let (ids, cases) = cases();
    let mut worst = (0.0_f64, 0.0_f64);
    for case in cases {
        let more = &ids[cache.len()..case.tokens];
        let ours = log_probabilities(decoder.forward(more, &mut cache).unwrap());
        let differences = case.likeliest.iter();
        let differences = differences.map(|(id, theirs)| (ours[*id] - theirs).abs());
        let differences: Vec<f64> = differences.collect();
        let all = differences.iter().copied().fold(0.0, f64::max);
        println!("{}: {:.4} {all:.4}", case.tokens, differences[0]);
        worst = (worst.0.max(differences[0]), worst.1.max(all));
    }
    assert!(worst.0 <= LIKELIEST, "likeliest differs by {}", worst.0);
    assert!(
        worst.1 <= LIKELIEST_20,
        "20 likeliest differ by {}",
        worst.1
    );
}
