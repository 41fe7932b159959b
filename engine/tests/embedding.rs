//! The engine for embeddings, from texts to vectors, on all-MiniLM-L6-v2.

use crate::real_model;
use std::{fs, path::Path, sync::Arc};

use engine::{
    Embeddings, Engine, EngineError, Job, Prompt, TenantId,
    local::{self, LocalConfig, MAX_TEXTS},
};
use serde::Deserialize;
use tempfile::TempDir;

fn config() -> LocalConfig {
    LocalConfig {
        threads: 2,
        max_sequences: 1,
        queue: 1,
        ..LocalConfig::default()
    }
}

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

fn engine() -> Arc<dyn Engine> {
    local::open(&real_model::minilm(), None, config()).unwrap()
}

fn embed(engine: &dyn Engine, texts: Vec<Prompt>) -> Embeddings {
    let vectors = engine.embed(texts, TenantId::default()).unwrap();
    vectors.blocking_recv().unwrap()
}

fn refusal(engine: &dyn Engine, texts: Vec<Prompt>) -> &'static str {
    let refused = engine.embed(texts, TenantId::default());
    refused.err().map_or("", |error| error.code())
}

#[test]
fn texts_become_vectors_in_their_order() {
    let (engine, cases) = (engine(), cases());
    let texts = cases.iter().map(|case| Prompt::text(case.text.clone()));
    let made = embed(&*engine, texts.collect());
    let tokens: usize = cases.iter().map(|case| case.ids.len()).sum();
    assert_eq!(made.prompt_tokens as usize, tokens);
    for (case, vector) in cases.iter().zip(&made.vectors) {
        let cosine: f32 = vector.iter().zip(&case.vector).map(|(a, b)| a * b).sum();
        assert!(cosine >= 0.9999, "{}: {cosine}", case.text);
    }
    let tokens = cases.iter().map(|case| Prompt::tokens(case.ids.clone()));
    assert!(embed(&*engine, tokens.collect()).vectors == made.vectors);
}

#[test]
fn more_texts_than_a_turn_takes_come_back_whole() {
    let engine = engine();
    let texts = (0..40).map(|_| Prompt::tokens([101, 2023, 102])).collect();
    let made = embed(&*engine, texts);
    assert_eq!(made.vectors.len(), 40);
    let first = &made.vectors[0];
    assert!(made.vectors.iter().all(|vector| vector == first));
}

#[test]
fn what_cannot_be_embedded_is_refused() {
    let engine = engine();
    let tokens = |ids: &[u32]| vec![Prompt::tokens([101]), Prompt::tokens(ids)];
    assert_eq!(refusal(&*engine, Vec::new()), "engine.bad_prompt");
    assert_eq!(refusal(&*engine, tokens(&[])), "engine.bad_prompt");
    assert_eq!(refusal(&*engine, tokens(&[30_522])), "engine.bad_prompt");
    assert_eq!(
        refusal(&*engine, tokens(&[1; 257])),
        "engine.context_overflow"
    );
    let many = (0..=MAX_TEXTS).map(|_| Prompt::tokens([101])).collect();
    assert_eq!(refusal(&*engine, many), "engine.too_many_texts");
    let job = engine.submit(Job::new(Prompt::text("x")));
    assert_eq!(job.err().unwrap().code(), "engine.unsupported");
    assert_eq!(engine.capacity(), 2, "refused batches keep no place");
}

#[test]
fn places_are_bounded() {
    let engine = engine();
    let long = || (0..64).map(|_| Prompt::tokens([7; 256])).collect();
    let first = engine.embed(long(), TenantId::default()).unwrap();
    let second = engine.embed(long(), TenantId::default()).unwrap();
    let third = engine.embed(long(), TenantId::default());
    assert_eq!(third.err(), Some(EngineError::Busy));
    drop((first, second));
}

#[test]
fn the_card_names_the_folder() {
    let engine = engine();
    let card = engine.card();
    assert_eq!(card.name, "all-minilm-l6-v2");
    assert_eq!(card.context_tokens, 256);
    let named = local::open(&real_model::minilm(), Some("small-1"), config()).unwrap();
    assert_eq!(named.card().name, "small-1");
    assert_eq!(named.card().model_digest, card.model_digest);
}

/// A copy of the encoder's folder without its tokenizer.
fn copy() -> TempDir {
    let folder = tempfile::tempdir().unwrap();
    for name in [
        "config.json",
        "model.safetensors",
        "1_Pooling/config.json",
        "modules.json",
    ] {
        let to = folder.path().join(name);
        fs::create_dir_all(to.parent().unwrap()).unwrap();
        fs::copy(real_model::minilm().join(name), to).unwrap();
    }
    folder
}

/// Changes in a file of the folder, and the code of the refusal.
const CHANGES: [[&str; 4]; 10] = [
    ["config.json", "\"gelu\"", "\"relu\"", "model.unsupported"],
    [
        "config.json",
        "\"bert\"",
        "\"roberta\"",
        "model.architecture",
    ],
    [
        "config.json",
        "\"absolute\"",
        "\"relative\"",
        "model.unsupported",
    ],
    [
        "config.json",
        "hidden_size\": 384",
        "hidden_size\": 383",
        "model.config",
    ],
    ["config.json", "30522", "30521", "model.shape"],
    ["config.json", "use_cache", "new_thing", "model.unsupported"],
    [
        "1_Pooling/config.json",
        "mean_tokens\": true",
        "mean_tokens\": false",
        "model.config",
    ],
    [
        "1_Pooling/config.json",
        "cls_token\": false",
        "cls_token\": true",
        "model.unsupported",
    ],
    [
        "modules.json",
        "models.Normalize",
        "models.Dense",
        "model.unsupported",
    ],
    [
        "tokenizer.json",
        "\"[PAD]\":0",
        "\"[PAD]\":0,\"one more\":30522",
        "engine.vocabulary",
    ],
];

#[test]
fn folders_that_are_no_encoder_are_refused() {
    let code = |folder: &Path| {
        local::open(folder, None, config())
            .err()
            .map_or("", |e| e.code())
    };
    assert_eq!(
        code(tempfile::tempdir().unwrap().path()),
        "folder.no_config"
    );
    let folder = copy();
    assert_eq!(code(folder.path()), "tokenizer.json");
    let tokenizer = real_model::minilm().join("tokenizer.json");
    fs::copy(tokenizer, folder.path().join("tokenizer.json")).unwrap();
    for [name, from, to, expected] in CHANGES {
        let path = folder.path().join(name);
        let whole = fs::read_to_string(&path).unwrap();
        assert!(whole.contains(from), "{name} {from}");
        fs::write(&path, whole.replacen(from, to, 1)).unwrap();
        assert_eq!(code(folder.path()), expected, "{name} {from} {to}");
        fs::write(&path, whole).unwrap();
    }
}
