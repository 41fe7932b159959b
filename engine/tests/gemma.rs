//! Gemma 3 270M (Q5_0, Q8_0, Q4_K and Q6_K in one file) against an independent float32 forward pass (`gemma/oracle.py`) on the
//! licence of this repository, up to and beyond the sliding window of 512 tokens.
//!
//! llama.cpp (`gemma/make.py` asked it) rounds activations to eight bits and takes GELU from a table of F16: it differs from the
//! oracle by up to 0.16 in the likeliest token's log-probability and by up to 0.86 among the 20 likeliest.

use crate::real_model;
use std::{fs, path::Path, sync::Arc};

use engine::{
    Engine, Job, Prompt, Sampling, Step,
    decoder::{Decoder, KvCache},
    gguf::Gguf,
    local::{LocalConfig, LocalEngine},
    model::{Family, Model},
};

/// Largest difference of the likeliest token's log-probability.
const LIKELIEST: f64 = 0.002;
/// Largest difference among the 20 likeliest.
const LIKELIEST_20: f64 = 0.01;

/// After so many tokens, the likeliest next ones.
struct Case {
    tokens: usize,
    likeliest: Vec<(usize, f64)>,
}

fn data(name: &str) -> String {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/gemma");
    fs::read_to_string(folder.join(name)).unwrap()
}

/// The tokens that were asked about: the first line of what llama.cpp answered.
fn ids() -> Vec<u32> {
    let text = data("llamacpp.tsv");
    let ids = text.lines().next().unwrap().split('\t');
    ids.map(|id| id.parse().unwrap()).collect()
}

fn case(line: &str) -> Case {
    let mut fields = line.split('\t');
    let pair = |field: &str| {
        let (id, log_probability) = field.split_once(':').unwrap();
        (id.parse().unwrap(), log_probability.parse().unwrap())
    };
    Case {
        tokens: fields.next().unwrap().parse().unwrap(),
        likeliest: fields.map(pair).collect(),
    }
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
fn gemma_agrees_with_the_oracle() {
    let model = model();
    assert_eq!(model.config().family, Family::Gemma3);
    let mut decoder = Decoder::new(Arc::clone(&model), 0);
    let mut cache = KvCache::new(&model, 1024);
    let ids = ids();
    let mut worst = (0.0_f64, 0.0_f64);
    for case in data("oracle.tsv").lines().map(case) {
        let more = &ids[cache.len()..case.tokens];
        let ours = log_probabilities(decoder.forward(more, &mut cache).unwrap());
        let differences = case.likeliest.iter();
        let differences = differences.map(|(id, oracle)| (ours[*id] - oracle).abs());
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

/// What llama.cpp goes on with in the same words.
const COUNTING: &str = "One, two, three, four, five, six, seven,";

#[test]
fn gemma_goes_on_counting() {
    let config = LocalConfig {
        max_context: 64,
        max_sequences: 1,
        ..LocalConfig::default()
    };
    let engine = LocalEngine::load(&real_model::gemma(), config).unwrap();
    let mut job = Job::new(Prompt::text(COUNTING));
    job.sampling = Sampling::greedy();
    job.max_tokens = Some(5);
    let mut steps = engine.submit(job).unwrap();
    let mut said = String::new();
    while let Some(step) = steps.blocking_recv() {
        match step {
            Step::Token { text, .. } | Step::Done { text, .. } => said += &text,
            Step::Begun { .. } | Step::Refused(_) => {}
        }
    }
    assert_eq!(said, " eight, nine, ten");
}
