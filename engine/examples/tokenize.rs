//! Tokenizes JSON strings, one a line, for the comparison with other tokenizers (tests/tokenizer_cases.py).
//!
//! `tokenize MODEL plain|special|prompt < TEXTS`: one JSON array of ids a line. MODEL is a GGUF file or a folder with `tokenizer.json`.
#![allow(
    missing_docs,
    clippy::unwrap_used,
    clippy::print_stdout,
    reason = "a program for tests"
)]

use std::{
    env, fs,
    io::{self, BufRead},
    path::Path,
};

use engine::{
    gguf::Gguf,
    tokenizer::{SpecialTokens, Tokenizer, TokenizerJson},
};

fn main() {
    let [_, model, mode]: [String; 3] = env::args().collect::<Vec<_>>().try_into().unwrap();
    let tokenizer = tokenizer(Path::new(&model));
    for line in io::stdin().lock().lines() {
        let text: String = serde_json::from_str(&line.unwrap()).unwrap();
        let ids = match mode.as_str() {
            "plain" => tokenizer.encode(&text, SpecialTokens::Never),
            "special" => tokenizer.encode(&text, SpecialTokens::Outside(&[])),
            _ => tokenizer.encode_prompt(&text, SpecialTokens::Never),
        };
        println!("{}", serde_json::to_string(&ids).unwrap());
    }
}

fn tokenizer(model: &Path) -> Tokenizer {
    if model.is_dir() {
        let json = TokenizerJson::parse(&fs::read(model.join("tokenizer.json")).unwrap());
        return Tokenizer::new(&json.unwrap().source()).unwrap();
    }
    Tokenizer::from_gguf(&Gguf::open(model).unwrap()).unwrap()
}
