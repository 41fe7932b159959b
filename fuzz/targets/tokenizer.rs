//! Any text: somebody's words never become special tokens, and ids give the bytes back that have tokens.
#![no_main]

use std::sync::LazyLock;

use engine::tokenizer::{SpecialTokens, Tokenizer, TokenizerSource};
use narthex_fuzz::{joined, parts, seeds};

const SPECIAL: std::ops::RangeInclusive<u32> = 9..=11;

static TOKENIZER: LazyLock<Tokenizer> = LazyLock::new(|| {
    let source = TokenizerSource {
        model: "gpt2",
        pre_tokenizer: "smollm",
        tokens: vec![
            "a", "b", "c", "Ġ", "<", ">", "e", "ab", "abc", "<e>", "<b>", "<c>", "1", "Ċ",
        ],
        kinds: vec![1, 1, 1, 1, 1, 1, 1, 1, 1, 3, 3, 4, 1, 1],
        merges: vec!["a b", "ab c"],
        ..TokenizerSource::default()
    };
    Tokenizer::new(&source).expect("a valid tokenizer")
});

libfuzzer_sys::fuzz_target!(init: plant(), |data: &[u8]| check(data));

/// One message between two texts of a template.
fn check(data: &[u8]) {
    let Some([before, words, after]) = parts(data) else {
        return;
    };
    let [before, words, after] = [before, words, after].map(String::from_utf8_lossy);
    let alone = TOKENIZER.encode(&words, SpecialTokens::Never);
    assert!(!alone.iter().any(|id| SPECIAL.contains(id)));
    assert_eq!(bytes(&alone), with_tokens(&words));

    let text = [&*before, &*words, &*after].concat();
    let range = before.len()..before.len() + words.len();
    let outside = TOKENIZER.encode(&text, SpecialTokens::Outside(&[range]));
    let special = |ids: &[u32]| ids.iter().filter(|id| SPECIAL.contains(id)).count();
    let template = |text: &str| special(&TOKENIZER.encode(text, SpecialTokens::Outside(&[])));
    if words.is_empty() {
        assert_eq!(special(&outside), template(&text));
    } else {
        assert_eq!(special(&outside), template(&before) + template(&after));
    }
}

fn bytes(ids: &[u32]) -> Vec<u8> {
    let all = ids.iter().flat_map(|id| TOKENIZER.token_bytes(*id));
    all.copied().collect()
}

fn with_tokens(text: &str) -> Vec<u8> {
    text.bytes()
        .filter(|byte| b"abc <>e1\n".contains(byte))
        .collect()
}

fn plant() {
    let seeds: [[&[u8]; 3]; 3] = [
        [b"<b>", b"<e>", b"<e>"],
        [b"<", b"e>a1 'll", b"b><c"],
        [b"<e", b"", b">  abc\n\n"],
    ];
    seeds::plant(seeds.map(|parts| joined(&parts)));
}
