//! The real model's tokenizer gives llama.cpp's ids (data/tokenizer_cases.jsonl, made by tokenizer_cases.py).
#![allow(
    missing_docs,
    clippy::unwrap_used,
    clippy::expect_used,
    reason = "tests"
)]

mod real_model;

use std::sync::OnceLock;

use engine::{
    gguf::Gguf,
    tokenizer::{SpecialTokens, Tokenizer},
};

struct Case {
    text: String,
    plain: Vec<u32>,
    special: Vec<u32>,
}

fn cases() -> Vec<Case> {
    let lines = include_str!("data/tokenizer_cases.jsonl").lines();
    lines.map(case).collect()
}

fn case(line: &str) -> Case {
    let (text, plain, special): (String, Vec<u32>, serde_json::Value) =
        serde_json::from_str(line).unwrap();
    let special = serde_json::from_value(special).unwrap_or_else(|_| plain.clone());
    Case {
        text,
        plain,
        special,
    }
}

/// The model file, read once.
fn gguf() -> &'static Gguf {
    static FILE: OnceLock<Gguf> = OnceLock::new();
    FILE.get_or_init(|| Gguf::open(&real_model::path()).expect("the model file is valid"))
}

fn tokenizer() -> Tokenizer {
    Tokenizer::from_gguf(gguf()).unwrap()
}

fn disagreements(wanted: impl Fn(&Case) -> bool) -> Vec<String> {
    let all = cases();
    assert!(all.len() >= 1000, "the corpus is all there");
    let wrong = all.iter().filter(|case| !wanted(case));
    wrong.map(|case| case.text.clone()).collect()
}

#[test]
fn plain_text_agrees_with_llama_cpp() {
    let tokenizer = tokenizer();
    let wrong = disagreements(|c| tokenizer.encode(&c.text, SpecialTokens::Never) == c.plain);
    assert!(wrong.is_empty(), "{} texts: {wrong:?}", wrong.len());
}

#[test]
fn text_with_special_tokens_agrees_with_llama_cpp() {
    let tokenizer = tokenizer();
    let anywhere = SpecialTokens::Outside(&[]);
    let wrong = disagreements(|c| tokenizer.encode(&c.text, anywhere) == c.special);
    assert!(wrong.is_empty(), "{} texts: {wrong:?}", wrong.len());
}

#[test]
fn ids_give_the_text_back() {
    let tokenizer = tokenizer();
    let decoded = |text: &str| -> Vec<u8> {
        let ids = tokenizer.encode(text, SpecialTokens::Never);
        ids.iter()
            .flat_map(|id| tokenizer.token_bytes(*id).to_vec())
            .collect()
    };
    // The vocabulary has no token for these bytes: 04 06 13 14 16 1d f1 f2.
    let unknown = |b: u8| matches!(b, 4 | 6 | 0x13 | 0x14 | 0x16 | 0x1d | 0xf1 | 0xf2);
    for case in cases() {
        let known: Vec<u8> = case.text.bytes().filter(|b| !unknown(*b)).collect();
        assert_eq!(decoded(&case.text), known, "{:?}", case.text);
    }
}
