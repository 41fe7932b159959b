//! The tokenizer, its settings and the chat template of a folder, of any bytes: what is accepted tokenizes, and ends answers with tokens that are there.
#![no_main]

use std::sync::LazyLock;

use engine::{
    chat::{self, ChatTemplate},
    folder::ModelFolder,
    safetensors::Safetensors,
    tokenizer::{SpecialTokens, Tokenizer},
};
use narthex_fuzz::{joined, parts, seeds};

libfuzzer_sys::fuzz_target!(init: plant(), |data: &[u8]| check(data));

/// A file without tensors.
static NO_WEIGHTS: LazyLock<Vec<u8>> = LazyLock::new(|| [&2_u64.to_le_bytes()[..], b"{}"].concat());

const NAMES: [&str; 5] = [
    "config.json",
    "generation_config.json",
    "chat_template.jinja",
    "tokenizer_config.json",
    "tokenizer.json",
];

/// Each file after its length; those that are empty are not there.
fn check(data: &[u8]) {
    let Some(contents) = parts::<5>(data) else {
        return;
    };
    let files = NAMES.into_iter().zip(contents.map(<[u8]>::to_vec));
    let files = files.filter(|(_, bytes)| !bytes.is_empty());
    let weights = Safetensors::from_bytes(NO_WEIGHTS.clone()).expect("a file without tensors");
    let folder = ModelFolder::from_parts(files, weights);
    let _ = folder.kind();
    if let Ok(Some(template)) = chat::template_of(&folder) {
        let _ = ChatTemplate::new(&template, "", "");
    }
    let Ok(tokenizer) = Tokenizer::from_folder(&folder) else {
        return;
    };
    let known = tokenizer.vocabulary_len() as u32;
    assert!(!(known..known.saturating_add(1000)).any(|id| tokenizer.is_end(id)));
    let ids = tokenizer.encode_prompt("go <|b|> on", SpecialTokens::Outside(&[]));
    assert!(ids.iter().all(|id| *id < known));
}

fn plant() {
    let tokenizer: &[u8] = br#"{"added_tokens":[{"id":4,"special":true,"content":"<|b|>"}],"pre_tokenizer":{"type":"ByteLevel","add_prefix_space":false},
"post_processor":{"type":"ByteLevel"},"model":{"type":"BPE","vocab":{"g":0,"o":1,"go":2,"!":3},"merges":["g o"]}}"#;
    let settings: &[u8] = br#"{"bos_token":"<|b|>","eos_token":{"content":"<|b|>"},"add_bos_token":true,"add_eos_token":false,
"added_tokens_decoder":{"4":{"content":"<|b|>","special":true}},"chat_template":[{"name":"default","template":"{{ messages }}"}]}"#;
    let config: &[u8] = br#"{"model_type":"qwen2","eos_token_id":3}"#;
    let generation: &[u8] = br#"{"eos_token_id":[3,4]}"#;
    seeds::plant([
        joined(&[config, generation, b"", settings, tokenizer]),
        joined(&[config, b"", b"{{ messages }}", settings, tokenizer]),
        joined(&[b"{}", b"", b"{{ bos_token }}", b"", tokenizer]),
    ]);
}
