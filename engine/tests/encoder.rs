//! The encoder on all-MiniLM-L6-v2 against an independent float32 forward pass (`encoder/make.py` wrote the vectors).

use crate::{model_folder::raw, real_model};
use std::{fs, path::Path, sync::OnceLock};

use engine::{
    encoder::{Encoder, EncoderError},
    folder::ModelFolder,
    safetensors::Safetensors,
};
use kernels::Isa;
use serde::Deserialize;

/// Largest difference of a number of a vector: ours round activations to 16-bit integers, which shows as some 2e-5 after six layers.
const TOLERANCE: f32 = 1e-4;

#[derive(Deserialize)]
struct Case {
    text: String,
    ids: Vec<u32>,
    vector: Vec<f32>,
}

fn cases() -> Vec<Case> {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/encoder/vectors.json");
    serde_json::from_slice(&fs::read(path).unwrap()).unwrap()
}

fn folder() -> &'static ModelFolder {
    static FOLDER: OnceLock<ModelFolder> = OnceLock::new();
    FOLDER.get_or_init(|| ModelFolder::open(&real_model::minilm()).unwrap())
}

fn encoder(threads: usize, isa: Isa) -> Encoder {
    Encoder::load(folder(), threads, isa).unwrap()
}

fn dot(a: &[f32], b: &[f32]) -> f32 {
    a.iter().zip(b).map(|(a, b)| a * b).sum()
}

#[test]
fn vectors_agree_with_the_definition() {
    let cases = cases();
    let texts: Vec<&[u32]> = cases.iter().map(|case| case.ids.as_slice()).collect();
    let vectors = encoder(2, Isa::detect()).embed(&texts).unwrap();
    for (case, vector) in cases.iter().zip(&vectors) {
        assert!((dot(vector, vector) - 1.0).abs() < 1e-6);
        assert!(dot(vector, &case.vector) >= 0.9999, "{}", case.text);
        let differences = vector.iter().zip(&case.vector).map(|(a, b)| (a - b).abs());
        let worst = differences.fold(0.0, f32::max);
        assert!(worst <= TOLERANCE, "{}: {worst}", case.text);
    }
}

#[test]
fn similarities_are_those_the_makers_publish() {
    let ids = cases().into_iter().map(|case| case.ids).collect::<Vec<_>>();
    let texts: Vec<&[u32]> = ids.iter().take(4).map(Vec::as_slice).collect();
    let vectors = encoder(1, Isa::detect()).embed(&texts).unwrap();
    // "That is a happy person" to: a happy dog, a very happy person, a sunny day.
    for (other, published) in vectors[1..]
        .iter()
        .zip([0.694_577_4, 0.942_915_1, 0.256_876_1])
    {
        assert!((dot(&vectors[0], other) - published).abs() < 1e-4);
    }
}

const CONFIG: &str = "config.json";
const POOLING: &str = "1_Pooling/config.json";
const MODULES: &str = "modules.json";
const LENGTHS: &str = "sentence_bert_config.json";

/// Why the real folder is refused once a text in one of its files is another: before any weight is asked for.
fn refusal(changed: &str, from: &str, to: &str) -> (&'static str, String) {
    let files = [CONFIG, POOLING, MODULES, LENGTHS].map(|name| {
        let mut text = fs::read_to_string(real_model::minilm().join(name)).unwrap();
        if name == changed {
            assert!(text.contains(from), "{name}");
            text = text.replacen(from, to, 1);
        }
        (name, text.into_bytes())
    });
    let weights = Safetensors::from_bytes(raw("{}", &[])).unwrap();
    let folder = ModelFolder::from_parts(files, weights);
    let refused = Encoder::load(&folder, 1, Isa::detect()).err().unwrap();
    (refused.code(), refused.to_string())
}

#[test]
fn refusals_name_the_file_and_its_own_key() {
    let cls = |flag: bool| format!("\"pooling_mode_cls_token\": {flag}");
    for (file, from, to, key) in [
        (CONFIG, "size\": 384", "size\": 385", "hidden_size"),
        (POOLING, "384", "385", "word_embedding_dimension"),
        (POOLING, &cls(false), &cls(true), "pooling_mode_cls_token"),
        (MODULES, ".Pooling\"", ".Dense\"", "type"),
        (LENGTHS, "256", "0", "max_seq_length"),
    ] {
        let (code, message) = refusal(file, from, to);
        let fault = match code {
            "model.config" => "has an unsupported value",
            _ => "asks for what is not supported",
        };
        assert_eq!(message, format!("{file}: {key} {fault}"));
    }
    let (code, message) = refusal(MODULES, "[", "");
    assert_eq!(code, "model.config");
    assert!(message.starts_with("modules.json is missing, is no JSON"));
}

#[test]
fn company_threads_and_paths_change_no_bit() {
    let cases = cases();
    let texts: Vec<&[u32]> = cases.iter().map(|case| case.ids.as_slice()).collect();
    let together = encoder(3, Isa::detect()).embed(&texts).unwrap();
    let mut alone = encoder(1, Isa::detect());
    let mut scalar = encoder(2, Isa::scalar());
    for (text, vector) in texts.iter().zip(&together) {
        assert_eq!(&alone.embed(&[text]).unwrap()[0], vector);
    }
    let short = &texts[..3];
    assert_eq!(scalar.embed(short).unwrap(), together[..3]);
}

#[test]
fn impossible_texts_are_refused_and_nothing_is_cut() {
    let mut encoder = encoder(1, Isa::detect());
    let most = encoder.config().max_tokens;
    assert_eq!(most, 256);
    let refused = |encoder: &mut Encoder, text: &[u32]| {
        let error: EncoderError = encoder.embed(&[&[101, 102], text]).err().unwrap();
        error.code()
    };
    assert_eq!(refused(&mut encoder, &[]), "encoder.empty");
    assert_eq!(refused(&mut encoder, &[1; 257]), "encoder.too_long");
    assert_eq!(refused(&mut encoder, &[30_522]), "encoder.unknown_token");
    assert_eq!(encoder.embed(&[&[1; 256]]).unwrap()[0].len(), 384);
    assert!(encoder.embed(&[]).unwrap().is_empty());
}
