//! A small SentencePiece tokenizer: what it refuses to load, what text can and cannot become, and that it bears any input.
#![allow(clippy::single_range_in_vec_init, reason = "tests")]

use std::ops::Range;

use engine::tokenizer::{SpacePrefix, SpecialTokens, Tokenizer, TokenizerError, TokenizerSource};
use proptest::prelude::*;

/// Text, kind and score of the tokens behind the 256 bytes.
const TOKENS: [(&str, i32, f32); 18] = [
    ("<unk>", 2, 0.0),
    ("<s>", 3, 0.0),
    ("</s>", 3, 0.0),
    ("a", 1, -9.0),
    ("b", 1, -9.0),
    ("c", 1, -9.0),
    ("ab", 1, -2.0),
    ("bc", 1, -1.0),
    ("aa", 1, -3.0),
    ("\u{2581}", 1, -4.0),
    ("\u{2581}a", 1, -5.0),
    ("<", 1, -9.0),
    ("s", 1, -9.0),
    (">", 1, -9.0),
    ("<s", 1, -6.0),
    ("\n", 4, 0.0),
    ("\n\n", 4, 0.0),
    ("abc", 4, 0.0),
];
const FIRST: u32 = 256;

fn id(text: &str) -> u32 {
    let at = TOKENS.iter().position(|(token, ..)| *token == text);
    FIRST + at.unwrap() as u32
}

fn ids(texts: &[&str]) -> Vec<u32> {
    texts.iter().map(|text| id(text)).collect()
}

struct Parts {
    bytes: Vec<String>,
}

impl Parts {
    fn new() -> Self {
        let byte = |byte: u8| format!("<0x{byte:02X}>");
        Self {
            bytes: (0..=255).map(byte).collect(),
        }
    }

    fn source(&self) -> TokenizerSource<'_> {
        let bytes = self.bytes.iter().map(|text| (text.as_str(), 6, 0.0));
        let all: Vec<(&str, i32, f32)> = bytes.chain(TOKENS).collect();
        TokenizerSource {
            model: "llama",
            tokens: all.iter().map(|token| token.0).collect(),
            kinds: all.iter().map(|token| token.1).collect(),
            scores: all.iter().map(|token| token.2).collect(),
            bos: Some(id("<s>")),
            eos: Some(id("</s>")),
            add_bos: true,
            ..TokenizerSource::default()
        }
    }

    fn with(
        &self,
        change: impl FnOnce(&mut TokenizerSource<'_>),
    ) -> Result<Tokenizer, TokenizerError> {
        let mut source = self.source();
        change(&mut source);
        Tokenizer::new(&source)
    }
}

fn tokenizer() -> Tokenizer {
    Parts::new().with(|_| {}).unwrap()
}

fn prefixed() -> Tokenizer {
    Parts::new()
        .with(|s| s.space_prefix = SpacePrefix::Added)
        .unwrap()
}

fn outside(text: &str, words: &[Range<usize>]) -> Vec<u32> {
    tokenizer().encode(text, SpecialTokens::Outside(words))
}

fn plain(text: &str) -> Vec<u32> {
    tokenizer().encode(text, SpecialTokens::Never)
}

#[test]
fn scores_must_be_numbers_and_one_for_each_token() {
    let parts = Parts::new();
    let short = parts.with(|s| s.scores.truncate(9)).err().unwrap();
    assert_eq!(short.code(), "tokenizer.scores");
    let nan = parts.with(|s| s.scores[270] = f32::NAN).err().unwrap();
    assert_eq!(nan, TokenizerError::Scores);
}

#[test]
fn every_byte_must_have_its_token() {
    let parts = Parts::new();
    let unmarked = parts.with(|s| s.kinds[65] = 1).err().unwrap();
    assert_eq!(unmarked.code(), "tokenizer.byte_tokens");
    for wrong in ["<0x4>", "<0xGG>", "0x41", "<0x+1>", "<0x041>"] {
        let refused = parts.with(|s| s.tokens[65] = wrong).err().unwrap();
        assert_eq!(refused, TokenizerError::TokenText(65), "{wrong}");
    }
}

#[test]
fn the_digest_covers_scores_and_prefix() {
    let parts = Parts::new();
    let digest = |change: fn(&mut TokenizerSource<'_>)| parts.with(change).unwrap().digest();
    let plain = digest(|_| {});
    assert_ne!(plain, digest(|s| s.scores[260] = -7.5));
    assert_ne!(plain, digest(|s| s.space_prefix = SpacePrefix::Added));
}

#[test]
fn the_best_score_joins_first_and_of_equals_the_leftmost() {
    assert_eq!(plain("aaa"), ids(&["aa", "a"]));
    assert_eq!(plain("bbc"), ids(&["b", "bc"]));
    assert_eq!(plain("aab"), ids(&["a", "ab"]));
}

#[test]
fn what_is_no_token_becomes_bytes() {
    assert_eq!(plain("aé"), [id("a"), 0xc3, 0xa9]);
    assert_eq!(plain("\0"), [0]);
}

#[test]
fn words_never_become_control_tokens_not_even_by_joining() {
    assert_eq!(plain("<s>"), ids(&["<s", ">"]));
    assert_eq!(plain("<0x41>")[0], id("<"), "nor bytes by their names");
    assert_eq!(outside("<s>a<s>", &[]), ids(&["<s>", "a", "<s>"]));
    assert_eq!(outside("<s><s>", &[3..6]), ids(&["<s>", "<s", ">"]));
}

#[test]
fn user_defined_symbols_are_text_and_the_longest_comes_first() {
    assert_eq!(plain("\n\n\n"), ids(&["\n\n", "\n"]));
    assert_eq!(plain("aabc"), ids(&["a", "abc"]));
    assert_eq!(
        outside("\n\n", &[1..2]),
        ids(&["\n\n"]),
        "as white space is anybody's"
    );
}

#[test]
fn a_space_is_put_before_each_part_of_a_text() {
    let encode = |text: &str| prefixed().encode(text, SpecialTokens::Outside(&[]));
    assert_eq!(encode("a a"), ids(&["\u{2581}a", "\u{2581}a"]));
    assert_eq!(encode("<s>a"), ids(&["<s>", "\u{2581}a"]));
    assert_eq!(encode(""), [0u32; 0]);
    assert_eq!(prefixed().decode(&encode("a a")), b"a a");
    assert_eq!(tokenizer().decode(&plain(" a")), b" a");
}

#[test]
fn prompts_begin_with_one_beginning() {
    let prompt = |text: &str| tokenizer().encode_prompt(text, SpecialTokens::Outside(&[]));
    assert_eq!(prompt("a"), ids(&["<s>", "a"]));
    assert_eq!(prompt("<s>a"), ids(&["<s>", "a"]));
}

#[test]
fn one_mebibyte_of_anything_is_nearly_linear() {
    let (bare, prefixed) = (tokenizer(), prefixed());
    for unit in ["a", "ab", " ", "<", "\n", "\n ", "<s>", "😀", "aabc"] {
        let text = unit.repeat((1 << 20) / unit.len());
        for tokenizer in [&bare, &prefixed] {
            let ids = tokenizer.encode(&text, SpecialTokens::Outside(&[]));
            assert!(ids.len() <= text.len() * 3, "{unit}");
        }
    }
}

proptest! {
    #[test]
    fn any_text_is_given_back(text in "\\PC{0,40}|[abc <>s\n\u{2581}]{0,60}") {
        let ids = plain(&text);
        prop_assert!(!ids.iter().any(|at| (FIRST..FIRST + 3).contains(at)));
        prop_assert_eq!(tokenizer().decode(&ids), text.replace('\u{2581}', " ").into_bytes());
    }

    #[test]
    fn any_ranges_are_borne(text in "[abc<s>\n]{0,40}", words in prop::collection::vec((0usize..60, 0usize..60), 0..4)) {
        let mut at = 0;
        let ascending: Vec<Range<usize>> = words.iter().map(|(gap, len)| {
            let range = at + gap..at + gap + len;
            at = range.end;
            range
        }).collect();
        outside(&text, &ascending);
    }
}

proptest! {
    #[test]
    fn a_bound_refuses_only_what_is_longer(text in "(<s>|abc|[a-c ]|\n|é){0,40}", most in 0..60usize) {
        for tokenizer in [tokenizer(), prefixed()] {
            for special in [SpecialTokens::Never, SpecialTokens::Outside(&[])] {
                let whole = tokenizer.encode_prompt(&text, special);
                let within = tokenizer.encode_prompt_within(&text, special, most);
                prop_assert_eq!(within, (whole.len() <= most).then_some(whole));
            }
        }
    }
}
