//! Logits against an independent float32 forward pass (`oracle.py`, whose output is `data/oracle.tsv`).
//!
//! On these cases llama.cpp, which rounds activations to eight bits, differs from the oracle by up to 0.16 in the
//! likeliest token's log-probability and by up to 0.62 among the 20 likeliest; the bounds here are far below both.
//! What both say of the same model in other formats is in `data/variants.tsv` (`variants.py`).

use crate::real_model;
use std::{fs, path::Path, sync::Arc};

use engine::{
    decoder::{Decoder, KvCache},
    gguf::Gguf,
    model::Model,
};

/// Largest difference of the likeliest token's log-probability.
const LIKELIEST: f64 = 0.002;
/// Largest difference among the 20 likeliest.
const LIKELIEST_20: f64 = 0.01;

/// One line of `oracle.tsv`.
struct Case {
    prompt: String,
    tokens: usize,
    likeliest: Vec<(usize, f64)>,
}

/// One line of `variants.tsv`: the likeliest token and its log-probability.
struct Variant {
    prompt: String,
    tokens: usize,
    likeliest: usize,
    oracle: f64,
    llamacpp: f64,
}

fn data(name: &str) -> String {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/data");
    fs::read_to_string(folder.join(name)).unwrap()
}

fn cases() -> Vec<Case> {
    let case = |line: &str| {
        let mut fields = line.split('\t');
        let pair = |field: &str| {
            let (id, log_probability) = field.split_once(':').unwrap();
            (id.parse().unwrap(), log_probability.parse().unwrap())
        };
        Case {
            prompt: fields.next().unwrap().to_owned(),
            tokens: fields.next().unwrap().parse().unwrap(),
            likeliest: fields.map(pair).collect(),
        }
    };
    data("oracle.tsv").lines().map(case).collect()
}

fn variants(format: &str) -> Vec<Variant> {
    let variant = |line: &str| {
        let fields: Vec<&str> = line.split('\t').collect();
        (fields[0] == format).then(|| Variant {
            prompt: fields[1].to_owned(),
            tokens: fields[2].parse().unwrap(),
            likeliest: fields[3].parse().unwrap(),
            oracle: fields[4].parse().unwrap(),
            llamacpp: fields[5].parse().unwrap(),
        })
    };
    data("variants.tsv").lines().filter_map(variant).collect()
}

fn ids(prompt: &str) -> Vec<u32> {
    let text = data(&format!("{prompt}.ids"));
    text.split_whitespace()
        .map(|id| id.parse().unwrap())
        .collect()
}

fn log_probabilities(logits: &[f32]) -> Vec<f64> {
    let largest = logits.iter().copied().fold(f32::MIN, f32::max);
    let shifted: Vec<f64> = logits
        .iter()
        .map(|l| f64::from(*l) - f64::from(largest))
        .collect();
    let total = shifted.iter().map(|l| l.exp()).sum::<f64>().ln();
    shifted.into_iter().map(|l| l - total).collect()
}

/// Differences to the oracle: of the likeliest token, and the largest among the 20 likeliest.
fn differences(case: &Case, logits: &[f32]) -> (f64, f64) {
    let ours = log_probabilities(logits);
    let all = case
        .likeliest
        .iter()
        .map(|(id, oracle)| (ours[*id] - oracle).abs());
    let all: Vec<f64> = all.collect();
    (all[0], all.iter().copied().fold(0.0, f64::max))
}

/// Largest and mean.
fn summary(differences: &[f64]) -> (f64, f64) {
    let largest = differences.iter().copied().fold(0.0, f64::max);
    let mean = differences.iter().sum::<f64>() / differences.len() as f64;
    (largest, mean)
}

fn greatest(logits: &[f32]) -> usize {
    (0..logits.len())
        .max_by(|a, b| logits[*a].total_cmp(&logits[*b]))
        .unwrap()
}

#[test]
fn logits_agree_with_the_oracle() {
    let mut gguf = Gguf::open(&real_model::path()).expect("the model opens");
    let model = Arc::new(Model::take(&mut gguf).expect("the model loads"));
    let mut decoder = Decoder::new(Arc::clone(&model), 0);
    let mut worst = (0.0_f64, 0.0_f64);
    let mut cache = KvCache::new(&model, 512);
    for case in cases() {
        let ids = ids(&case.prompt);
        if case.tokens <= cache.len() {
            cache.clear();
        }
        let more = &ids[cache.len()..case.tokens];
        let logits = decoder.forward(more, &mut cache).unwrap();
        assert_eq!(
            greatest(logits),
            case.likeliest[0].0,
            "{} {}",
            case.prompt,
            case.tokens
        );
        let (likeliest, all) = differences(&case, logits);
        worst = (worst.0.max(likeliest), worst.1.max(all));
    }
    assert!(
        worst.0 <= LIKELIEST,
        "likeliest token differs by {}",
        worst.0
    );
    assert!(
        worst.1 <= LIKELIEST_20,
        "20 likeliest tokens differ by {}",
        worst.1
    );
    println!(
        "largest differences: likeliest {:.5}, 20 likeliest {:.5}",
        worst.0, worst.1
    );
}

/// Differences to the oracle in one format: ours and llama.cpp's.
fn variant_differences(format: &str) -> (Vec<f64>, Vec<f64>) {
    let path = real_model::variants().join(format!("{format}.gguf"));
    let mut gguf = Gguf::open(&path).expect("the variant opens");
    let model = Arc::new(Model::take(&mut gguf).expect("the variant loads"));
    drop(gguf);
    let mut decoder = Decoder::new(Arc::clone(&model), 0);
    let mut cache = KvCache::new(&model, 128);
    let (mut ours, mut theirs) = (Vec::new(), Vec::new());
    for case in variants(format) {
        let ids = ids(&case.prompt);
        if case.tokens <= cache.len() {
            cache.clear();
        }
        let more = &ids[cache.len()..case.tokens];
        let logits = decoder.forward(more, &mut cache).unwrap();
        ours.push((log_probabilities(logits)[case.likeliest] - case.oracle).abs());
        theirs.push((case.llamacpp - case.oracle).abs());
    }
    (ours, theirs)
}

#[test]
fn every_format_is_as_close_to_the_oracle_as_llamacpp() {
    for format in ["Q4_0", "Q5_0", "Q8_0", "F16", "BF16", "F32"] {
        let (ours, theirs) = variant_differences(format);
        assert_eq!(ours.len(), 30, "{format}");
        let ((our_largest, our_mean), (largest, mean)) = (summary(&ours), summary(&theirs));
        println!(
            "{format}: largest {our_largest:.5} mean {our_mean:.5}, llama.cpp {largest:.5} {mean:.5}"
        );
        assert!(
            our_largest <= largest.max(LIKELIEST),
            "{format} {our_largest} {largest}"
        );
        assert!(
            our_mean <= mean.max(LIKELIEST / 4.0),
            "{format} {our_mean} {mean}"
        );
    }
}
