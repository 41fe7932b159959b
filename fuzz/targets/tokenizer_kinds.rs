//! Any text, by every kind of tokenizer and pre-tokenizer: words never become control tokens, and what has tokens comes back.
#![no_main]

use std::{collections::HashMap, sync::LazyLock};

use engine::tokenizer::{SpacePrefix, SpecialTokens, Tokenizer, TokenizerSource};
use narthex_fuzz::{joined, parts, seeds};

const PRE_TOKENIZERS: [&str; 5] = ["default", "gpt-2", "llama-bpe", "qwen2", "tekken"];

/// What is steered by, the same in every vocabulary: ids 0 to 2.
const CONTROL: [&str; 3] = ["<e>", "<b>", "<u>"];

/// Ordinary tokens of SentencePiece and WordPiece.
const TEXTS: [&str; 14] = [
    "\u{2581}",
    "a",
    "b",
    "ab",
    "\u{2581}a",
    "\u{2581}ab",
    "<",
    "e",
    ">",
    "<e",
    "!",
    "\u{2581}!",
    "1",
    "東",
];

static TOKENIZERS: LazyLock<Vec<Tokenizer>> = LazyLock::new(|| {
    let pieces = [SpacePrefix::None, SpacePrefix::Added].map(sentence_piece);
    let mut all: Vec<Tokenizer> = PRE_TOKENIZERS.map(byte_pair).into();
    all.extend(pieces);
    all.push(word_piece());
    all
});

libfuzzer_sys::fuzz_target!(init: plant(), |data: &[u8]| check(data));

fn check(data: &[u8]) {
    let Some([before, words, after]) = parts(data) else {
        return;
    };
    let [before, words, after] = [before, words, after].map(String::from_utf8_lossy);
    let text = [&*before, &*words, &*after].concat();
    let range = before.len()..before.len() + words.len();
    for tokenizer in TOKENIZERS.iter() {
        let alone = tokenizer.encode(&words, SpecialTokens::Never);
        assert!(alone.iter().all(|id| is_known(tokenizer, *id)));
        assert_eq!(control(&alone), 0);
        let outside = tokenizer.encode(&text, SpecialTokens::Outside(std::slice::from_ref(&range)));
        let own = |text: &str| control(&tokenizer.encode(text, SpecialTokens::Outside(&[])));
        if !words.is_empty() {
            assert_eq!(control(&outside), own(&before) + own(&after));
        }
    }
    for tokenizer in TOKENIZERS.iter().take(PRE_TOKENIZERS.len() + 1) {
        let ids = tokenizer.encode(&words, SpecialTokens::Never);
        assert_eq!(plain(&tokenizer.decode(&ids)), plain(words.as_bytes()));
    }
}

/// U+2581 becomes a space in SentencePiece.
fn plain(text: &[u8]) -> String {
    String::from_utf8_lossy(text).replace('\u{2581}', " ")
}

/// Control tokens among `ids`; WordPiece makes `<u>` of unknown words.
fn control(ids: &[u32]) -> usize {
    ids.iter().filter(|id| **id < 2).count()
}

fn is_known(tokenizer: &Tokenizer, id: u32) -> bool {
    (id as usize) < tokenizer.vocabulary_len()
}

fn kinds(ordinary: i32, all: usize) -> Vec<i32> {
    let mut kinds = vec![ordinary; all];
    kinds[..CONTROL.len()].fill(3);
    kinds
}

fn byte_pair(pre_tokenizer: &'static str) -> Tokenizer {
    let bytes: Vec<String> = (0..=255u8).map(spelled).collect();
    let merges = [
        "a b", "Ġ a", "1 1", "11 1", "' s", "Ċ Ċ", "Ġ Ġ", "! Ċ", "< e", "b A",
    ];
    let made = merges.map(|merge| merge.replace(' ', ""));
    let texts = bytes.iter().chain(&made).map(String::as_str);
    let tokens: Vec<&str> = CONTROL.into_iter().chain(texts).collect();
    let source = TokenizerSource {
        model: "gpt2",
        pre_tokenizer,
        kinds: kinds(1, tokens.len()),
        tokens,
        merges: merges.into(),
        ..TokenizerSource::default()
    };
    Tokenizer::new(&source).expect("a valid tokenizer")
}

/// GPT-2's character of a byte.
fn spelled(byte: u8) -> String {
    static HIDDEN: LazyLock<HashMap<u8, char>> = LazyLock::new(|| {
        let visible = |byte: &u8| matches!(byte, 0x21..=0x7e | 0xa1..=0xac | 0xae..=0xff);
        let hidden = (0..=255u8).filter(|byte| !visible(byte));
        hidden.zip('\u{100}'..).collect()
    });
    HIDDEN
        .get(&byte)
        .copied()
        .unwrap_or(char::from(byte))
        .into()
}

fn sentence_piece(space_prefix: SpacePrefix) -> Tokenizer {
    let bytes: Vec<String> = (0..=255).map(|byte| format!("<0x{byte:02X}>")).collect();
    let symbols = ["\n", "\n\n", "bb!", "!1"];
    let heads = CONTROL.into_iter().chain(TEXTS).chain(symbols);
    let tokens: Vec<&str> = heads.chain(bytes.iter().map(String::as_str)).collect();
    let mut kinds = kinds(6, tokens.len());
    let first = CONTROL.len() + TEXTS.len();
    kinds[CONTROL.len()..first].fill(1);
    kinds[first..first + symbols.len()].fill(4);
    let source = TokenizerSource {
        model: "llama",
        scores: (0..tokens.len()).map(|id| -((id / 2) as f32)).collect(),
        kinds,
        tokens,
        space_prefix,
        ..TokenizerSource::default()
    };
    Tokenizer::new(&source).expect("a valid tokenizer")
}

fn word_piece() -> Tokenizer {
    let tokens: Vec<&str> = CONTROL.into_iter().chain(TEXTS).collect();
    let source = TokenizerSource {
        model: "bert",
        kinds: kinds(1, tokens.len()),
        tokens,
        bos: Some(0),
        separator: Some(1),
        unknown: Some(2),
        ..TokenizerSource::default()
    };
    Tokenizer::new(&source).expect("a valid tokenizer")
}

fn plant() {
    let seeds: [[&[u8]; 3]; 5] = [
        [b"<b>", b"<e>", b"<e>"],
        [b"<", b"e>a1 'll", b"b><c"],
        [b"<e>\n", b"\n\nab 111!\n", b"\n!1bb!"],
        [b"a", "É\u{301}東 \u{2581}<0x41>".as_bytes(), b"<e"],
        [b"", "camelCASE éA // \r\n 1234 it'S".as_bytes(), b""],
    ];
    seeds::plant(seeds.map(|parts| joined(&parts)));
}
