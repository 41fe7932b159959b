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
    let string = |text: &str| [&(text.len() as u64).to_le_bytes()[..], text.as_bytes()].concat();
    let text = |key, value| [string(key), 8u32.to_le_bytes().to_vec(), string(value)].concat();
    let list = |key, kind: u32, count: u64, values: Vec<u8>| {
        let head = [9u32.to_le_bytes(), kind.to_le_bytes()].concat();
        [string(key), head, count.to_le_bytes().to_vec(), values].concat()
    };
    let file = |entries: &[Vec<u8>]| {
        let counts = [0u64.to_le_bytes(), (entries.len() as u64).to_le_bytes()].concat();
        let head = [&b"GGUF"[..], &3u32.to_le_bytes(), &counts].concat();
        [head, entries.concat()].concat()
    };
    let tokenizer = file(&[
        text("tokenizer.ggml.model", "gpt2"),
        text("tokenizer.ggml.pre", "smollm"),
        list(
            "tokenizer.ggml.tokens",
            8,
            3,
            ["a", "b", "ab"].map(string).concat(),
        ),
        list(
            "tokenizer.ggml.token_type",
            5,
            3,
            [1i32.to_le_bytes(); 3].concat(),
        ),
        list("tokenizer.ggml.merges", 8, 1, string("a b")),
        text(
            "tokenizer.chat_template",
            "{% for m in messages %}{{ m.content }}{% endfor %}",
        ),
    ]);
    seeds::plant([file(&[]), tokenizer]);
}
