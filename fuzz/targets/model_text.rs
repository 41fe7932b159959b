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
    let flag = |key, value: u8| [string(key), 7u32.to_le_bytes().to_vec(), vec![value]].concat();
    let id = |key, id: u32| {
        [
            string(key),
            4u32.to_le_bytes().to_vec(),
            id.to_le_bytes().to_vec(),
        ]
        .concat()
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
    let spelled: Vec<String> = (0..=255).map(|byte| format!("<0x{byte:02X}>")).collect();
    let bytes: Vec<u8> = spelled.iter().flat_map(|text| string(text)).collect();
    let sentence_piece = file(&[
        text("tokenizer.ggml.model", "llama"),
        list(
            "tokenizer.ggml.tokens",
            8,
            257,
            [string("a"), bytes].concat(),
        ),
        list(
            "tokenizer.ggml.token_type",
            5,
            257,
            [&1i32.to_le_bytes()[..], &[6i32.to_le_bytes(); 256].concat()].concat(),
        ),
        list(
            "tokenizer.ggml.scores",
            6,
            257,
            [(-1f32).to_le_bytes(); 257].concat(),
        ),
        id("tokenizer.ggml.bos_token_id", 0),
        flag("tokenizer.ggml.add_bos_token", 1),
        flag("tokenizer.ggml.add_space_prefix", 0),
    ]);
    let word_piece = file(&[
        text("tokenizer.ggml.model", "bert"),
        list(
            "tokenizer.ggml.tokens",
            8,
            4,
            ["[CLS]", "[SEP]", "[UNK]", "\u{2581}a"]
                .map(string)
                .concat(),
        ),
        list(
            "tokenizer.ggml.token_type",
            5,
            4,
            [3i32, 3, 3, 1].map(i32::to_le_bytes).concat(),
        ),
        id("tokenizer.ggml.seperator_token_id", 1),
        flag("tokenizer.ggml.normalizer.lowercase", 0),
    ]);
    seeds::plant([file(&[]), tokenizer, sentence_piece, word_piece]);
}
