//! Any schema, any Lark grammar: refused or followed in bounded time, and whatever is allowed can be gone on with.
#![no_main]

use std::sync::{Arc, LazyLock};

use engine::{
    Grammar,
    grammar::{Constraint, Grammars, Progress},
    tokenizer::{Tokenizer, TokenizerSource},
};
use narthex_fuzz::{joined, parts, seeds};

/// The token that ends an answer; those before it are the printable ASCII characters and some words.
const END: u32 = 99;

static GRAMMARS: LazyLock<Grammars> = LazyLock::new(|| {
    let letters: Vec<String> = (b'!'..=b'~').map(|b| char::from(b).to_string()).collect();
    let words = ["Ġ", "\":", "\",", "true", "Ċ", "<end>"];
    let tokens: Vec<&str> = letters.iter().map(String::as_str).chain(words).collect();
    let source = TokenizerSource {
        model: "gpt2",
        pre_tokenizer: "smollm",
        kinds: [vec![1; tokens.len() - 1], vec![3]].concat(),
        eos: Some(END),
        tokens,
        ..TokenizerSource::default()
    };
    Grammars::new(Arc::new(Tokenizer::new(&source).expect("a valid tokenizer")))
});

libfuzzer_sys::fuzz_target!(init: plant(), |data: &[u8]| check(data));

fn check(data: &[u8]) {
    let Some([kind, text, picks]) = parts(data) else {
        return;
    };
    let text = String::from_utf8_lossy(text).into_owned();
    let grammar = match kind.first() {
        None => Grammar::JsonObject,
        Some(0) => Grammar::JsonSchema(text),
        Some(_) => Grammar::Lark(text),
    };
    if let Ok(constraint) = GRAMMARS.constraint(&grammar) {
        follow(constraint, picks);
    }
}

/// Goes on with one of the allowed tokens for each of `picks`.
fn follow(mut constraint: Constraint, picks: &[u8]) {
    for pick in picks.iter().take(32) {
        let Ok(allowed) = constraint.allowed() else {
            return;
        };
        let is_allowed = |id: &u32| allowed.0[*id as usize / 32] >> (id % 32) & 1 == 1;
        let ids: Vec<u32> = (0..=END).filter(is_allowed).collect();
        let id = ids[usize::from(*pick) % ids.len()];
        if id == END || constraint.advance(id) != Ok(Progress::Open) {
            return;
        }
    }
}

fn plant() {
    let lark = b"start: (a | T)+ \".\"\na: \"x\"{1,3} /[0-9]+/\nT: /[a-z]{2,5}/ & ~/.*q.*/\n";
    let refs = br##"{"$defs":{"t":{"type":"array","items":{"$ref":"#/$defs/t"},"maxItems":2}},"$ref":"#/$defs/t"}"##;
    let object = br#"{"type":"object","properties":{"a":{"type":"integer","minimum":3,"maximum":77},"b":{"enum":["x","y",null]}},"required":["a"],"additionalProperties":false}"#;
    let string = br#"{"anyOf":[{"type":"string","pattern":"^(a|b)*c{2,4}$"},{"type":"string","format":"date"},{"type":"number","multipleOf":0.5}]}"#;
    let embedded = br#"start: "<" %json {"type":"boolean"} ">""#;
    let seeds: [[&[u8]; 3]; 6] = [
        [b"", b"", b"\x01\x02\x03\x04\x05\x06\x07"],
        [b"\0", object, b"\0\x01\0\x03\x04\x05\x06"],
        [b"\0", refs, b"\0\0\0\x01\x01\x01"],
        [b"\0", string, b"\x05\x01\x02\x03"],
        [b"\x01", lark, b"\x09\x08\x07\x06"],
        [b"\x01", embedded, b"\0\0\0\0"],
    ];
    seeds::plant(seeds.map(|parts| joined(&parts)));
}
