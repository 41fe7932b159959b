//! A model file with any tokenizer and template: both are taken or refused.
#![no_main]

use engine::{
    chat::ChatTemplate,
    gguf::Gguf,
    tokenizer::{Tokenizer, TokenizerSource},
};
use narthex_fuzz::seeds;

libfuzzer_sys::fuzz_target!(init: plant(), |data: &[u8]| check(data));

fn check(data: &[u8]) {
    let Ok(gguf) = Gguf::from_bytes(data.to_vec()) else {
        return;
    };
    if let Ok(source) = TokenizerSource::from_gguf(&gguf) {
        let _ = Tokenizer::new(&source);
    }
    if let Ok(template) = gguf.str("tokenizer.chat_template") {
        let _ = ChatTemplate::new(template, "", "");
    }
}

fn plant() {
    seeds::plant([file(&[]), byte_pair(), sentence_piece(), word_piece()]);
}

fn byte_pair() -> Vec<u8> {
    file(&[
        text("tokenizer.ggml.model", "gpt2"),
        text("tokenizer.ggml.pre", "smollm"),
        texts("tokenizer.ggml.tokens", &["a", "b", "ab"]),
        numbers("tokenizer.ggml.token_type", &[1; 3]),
        texts("tokenizer.ggml.merges", &["a b"]),
        text(
            "tokenizer.chat_template",
            "{% for m in messages %}{{ m.content }}{% endfor %}",
        ),
    ])
}

fn sentence_piece() -> Vec<u8> {
    let bytes = (0..=255).map(|byte| format!("<0x{byte:02X}>"));
    let tokens: Vec<String> = ["a".to_owned()].into_iter().chain(bytes).collect();
    let tokens: Vec<&str> = tokens.iter().map(String::as_str).collect();
    let scores = [(-1f32).to_le_bytes(); 257].concat();
    file(&[
        text("tokenizer.ggml.model", "llama"),
        texts("tokenizer.ggml.tokens", &tokens),
        numbers("tokenizer.ggml.token_type", &[&[1][..], &[6; 256]].concat()),
        list("tokenizer.ggml.scores", (6, 257), scores),
        entry("tokenizer.ggml.bos_token_id", 4, &0u32.to_le_bytes()),
        entry("tokenizer.ggml.add_bos_token", 7, &[1]),
        entry("tokenizer.ggml.add_space_prefix", 7, &[0]),
    ])
}

fn word_piece() -> Vec<u8> {
    file(&[
        text("tokenizer.ggml.model", "bert"),
        texts(
            "tokenizer.ggml.tokens",
            &["[CLS]", "[SEP]", "[UNK]", "\u{2581}a"],
        ),
        numbers("tokenizer.ggml.token_type", &[3, 3, 3, 1]),
        entry("tokenizer.ggml.seperator_token_id", 4, &1u32.to_le_bytes()),
        entry("tokenizer.ggml.normalizer.lowercase", 7, &[0]),
    ])
}

/// A model file of version 3 with these entries and no tensors.
fn file(entries: &[Vec<u8>]) -> Vec<u8> {
    let counts = [0u64.to_le_bytes(), (entries.len() as u64).to_le_bytes()].concat();
    let head = [&b"GGUF"[..], &3u32.to_le_bytes(), &counts].concat();
    [head, entries.concat()].concat()
}

/// A key, a value's type by its number, and the value.
fn entry(key: &str, kind: u32, value: &[u8]) -> Vec<u8> {
    [&string(key)[..], &kind.to_le_bytes(), value].concat()
}

fn text(key: &str, value: &str) -> Vec<u8> {
    entry(key, 8, &string(value))
}

fn texts(key: &str, values: &[&str]) -> Vec<u8> {
    let all: Vec<u8> = values.iter().flat_map(|value| string(value)).collect();
    list(key, (8, values.len()), all)
}

fn numbers(key: &str, values: &[i32]) -> Vec<u8> {
    let all: Vec<u8> = values
        .iter()
        .flat_map(|value| value.to_le_bytes())
        .collect();
    list(key, (5, values.len()), all)
}

/// A list of so many values of one type.
fn list(key: &str, (kind, count): (u32, usize), values: Vec<u8>) -> Vec<u8> {
    let head = [&kind.to_le_bytes()[..], &(count as u64).to_le_bytes()].concat();
    entry(key, 9, &[head, values].concat())
}

fn string(text: &str) -> Vec<u8> {
    [&(text.len() as u64).to_le_bytes()[..], text.as_bytes()].concat()
}
