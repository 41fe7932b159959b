//! The tokenizers give llama.cpp's ids (data/tokenizer_cases_*.jsonl, made by tokenizer_cases.py): of real models, and of tiny vocabularies
//! for what no model at hand has.

use crate::real_model;
use engine::{
    gguf::Gguf,
    tokenizer::{SpacePrefix, SpecialTokens, Tokenizer, TokenizerJson, TokenizerSource},
};
use serde::Deserialize;

struct Case {
    text: String,
    plain: Vec<u32>,
    special: Vec<u32>,
}

fn cases(lines: &str) -> Vec<Case> {
    lines.lines().map(case).collect()
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

fn agrees(tokenizer: &Tokenizer, cases: &[Case]) {
    let anywhere = SpecialTokens::Outside(&[]);
    let wrong = |case: &&Case| {
        tokenizer.encode(&case.text, SpecialTokens::Never) != case.plain
            || tokenizer.encode(&case.text, anywhere) != case.special
    };
    let wrong: Vec<&str> = cases
        .iter()
        .filter(wrong)
        .map(|c| c.text.as_str())
        .collect();
    assert!(wrong.is_empty(), "{} texts: {wrong:?}", wrong.len());
}

/// Ids give their text back, but for the bytes that have no token.
fn gives_back(tokenizer: &Tokenizer, cases: &[Case], text: impl Fn(&str) -> Vec<u8>) {
    for case in cases {
        assert_eq!(
            tokenizer.decode(&case.plain),
            text(&case.text),
            "{:?}",
            case.text
        );
    }
}

#[test]
fn smollm2() {
    let gguf = Gguf::open(&real_model::path()).expect("the model file is valid");
    let tokenizer = Tokenizer::from_gguf(&gguf).unwrap();
    let cases = cases(include_str!("data/tokenizer_cases_smollm2.jsonl"));
    assert_eq!(cases.len(), 1200, "the corpus is all there");
    agrees(&tokenizer, &cases);
    // The vocabulary has no token for these bytes.
    let unknown = |b: &u8| matches!(b, 4 | 6 | 0x13 | 0x14 | 0x16 | 0x1d | 0xf1 | 0xf2);
    gives_back(&tokenizer, &cases, |text| {
        text.bytes().filter(|b| !unknown(b)).collect()
    });
}

#[test]
fn gemma3() {
    let gguf = Gguf::open(&real_model::gemma()).expect("the model file is valid");
    let tokenizer = Tokenizer::from_gguf(&gguf).unwrap();
    let cases = cases(include_str!("data/tokenizer_cases_gemma3.jsonl"));
    assert_eq!(cases.len(), 1200, "the corpus is all there");
    agrees(&tokenizer, &cases);
    gives_back(&tokenizer, &cases, spaced);
}

/// SentencePiece writes a space as U+2581, so that one becomes a space.
fn spaced(text: &str) -> Vec<u8> {
    text.replace('\u{2581}', " ").into_bytes()
}

/// Ids are Hugging Face's: see tokenizer_cases_bert.py.
#[test]
fn minilm() {
    let json = std::fs::read(real_model::minilm().join("tokenizer.json")).unwrap();
    let json = TokenizerJson::parse(&json).unwrap();
    let tokenizer = Tokenizer::new(&json.source()).unwrap();
    let lines = include_str!("data/tokenizer_cases_minilm.jsonl").lines();
    let cases: Vec<(String, Vec<u32>)> = lines
        .map(|line| serde_json::from_str(line).unwrap())
        .collect();
    assert!(cases.len() >= 1200, "the corpus is all there");
    let prompt = |text: &str| tokenizer.encode_prompt(text, SpecialTokens::Never);
    let wrong = cases.iter().filter(|(text, ids)| prompt(text) != *ids);
    let wrong: Vec<&str> = wrong.map(|(text, _)| text.as_str()).collect();
    assert!(wrong.is_empty(), "{} texts: {wrong:?}", wrong.len());
    let ids = tokenizer.encode("Don't STOP", SpecialTokens::Never);
    assert_eq!(tokenizer.decode(&ids), b"don ' t stop");
}

/// What tokenizer_tiny.py wrote.
#[derive(Deserialize)]
struct Tiny {
    byte_pair: Vocabulary,
    sentence_piece: Vocabulary,
}

#[derive(Deserialize)]
struct Vocabulary {
    model: String,
    tokens: Vec<String>,
    kinds: Vec<i32>,
    merges: Vec<String>,
    scores: Vec<f32>,
    bos: u32,
    eos: u32,
}

impl Vocabulary {
    fn tokenizer(&self, pre_tokenizer: &str) -> Tokenizer {
        let source = TokenizerSource {
            model: &self.model,
            pre_tokenizer,
            tokens: self.tokens.iter().map(String::as_str).collect(),
            kinds: self.kinds.clone(),
            merges: self.merges.iter().map(String::as_str).collect(),
            scores: self.scores.clone(),
            bos: Some(self.bos),
            eos: Some(self.eos),
            space_prefix: SpacePrefix::Added,
            ..TokenizerSource::default()
        };
        Tokenizer::new(&source).unwrap()
    }
}

fn tiny() -> Tiny {
    serde_json::from_str(include_str!("data/tokenizer_tiny.json")).unwrap()
}

#[test]
fn every_pre_tokenizer() {
    let vocabulary = tiny().byte_pair;
    for (pre_tokenizer, lines) in [
        (
            "default",
            include_str!("data/tokenizer_cases_default.jsonl"),
        ),
        ("gpt-2", include_str!("data/tokenizer_cases_gpt2.jsonl")),
        (
            "llama-bpe",
            include_str!("data/tokenizer_cases_llama.jsonl"),
        ),
        ("qwen2", include_str!("data/tokenizer_cases_qwen2.jsonl")),
        ("tekken", include_str!("data/tokenizer_cases_tekken.jsonl")),
    ] {
        let (tokenizer, cases) = (vocabulary.tokenizer(pre_tokenizer), cases(lines));
        assert_eq!(cases.len(), 400, "the corpus is all there");
        agrees(&tokenizer, &cases);
        gives_back(&tokenizer, &cases, |text| text.as_bytes().to_vec());
    }
}

#[test]
fn sentence_piece_with_a_space_before_the_text() {
    let tokenizer = tiny().sentence_piece.tokenizer("");
    let cases = cases(include_str!("data/tokenizer_cases_spm.jsonl"));
    assert_eq!(cases.len(), 400, "the corpus is all there");
    agrees(&tokenizer, &cases);
}
