//! Byte-level BPE in `tokenizer.json`: the pre-tokenizer is known by its rules.

use std::collections::HashMap;

use serde::Deserialize;
use serde_json::Value;

use super::{Added, File, NORMAL, TokenizerJson, flag, kind};
use crate::tokenizer::{
    Case, Normalization, TokenizerError, byte_alphabet, pretokenizer::PreTokenizer,
};

const LLAMA3: &str = r"(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}{1,3}| ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+";
const QWEN2: &str = r"(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}| ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+";

#[derive(Deserialize)]
pub(super) struct Model {
    vocab: HashMap<String, u32>,
    merges: Vec<Merge>,
    #[serde(default)]
    byte_fallback: bool,
    /// Whether a piece that is a token is taken whole.
    #[serde(default)]
    ignore_merges: bool,
    dropout: Option<f32>,
    continuing_subword_prefix: Option<String>,
    end_of_word_suffix: Option<String>,
    /// Stands for a byte that is no token.
    unk_token: Option<String>,
}

/// A merge: newer files have pairs.
#[derive(Deserialize)]
#[serde(untagged)]
enum Merge {
    Line(String),
    Pair([String; 2]),
}

impl Merge {
    fn line(&self) -> String {
        match self {
            Self::Line(line) => line.clone(),
            Self::Pair(pair) => pair.join(" "),
        }
    }
}

impl Model {
    /// Whether tokens within words, or at their ends, are spelled in another way.
    fn marks_words(&self) -> bool {
        let marks = [&self.continuing_subword_prefix, &self.end_of_word_suffix];
        marks.into_iter().flatten().any(|mark| !mark.is_empty())
    }
}

pub(super) fn read(file: &File, model: &Model) -> Result<TokenizerJson, TokenizerError> {
    if model.byte_fallback || model.dropout.is_some() || model.marks_words() {
        return Err(TokenizerError::Json("it is no byte-level BPE"));
    }
    let normalization = normalization(file)?;
    check_added(file, normalization)?;
    check_decoder(file)?;
    let pre_tokenizer = file.pre_tokenizer.as_ref().and_then(named);
    let pre_tokenizer =
        pre_tokenizer.ok_or(TokenizerError::Json("its pre-tokenizer is not known"))?;
    let whole = PreTokenizer::named(pre_tokenizer).is_some_and(PreTokenizer::takes_whole_pieces);
    if model.ignore_merges != whole {
        return Err(TokenizerError::Json(
            "ignore_merges is not what goes with its pre-tokenizer",
        ));
    }
    let (tokens, kinds) = file.tokens(&model.vocab)?;
    if model.unk_token.is_some() && !has_all_bytes(&tokens, &kinds) {
        return Err(TokenizerError::Json(
            "it has an unk_token, and not every byte is a token",
        ));
    }
    let (bos, None) = file.around()? else {
        return Err(TokenizerError::AddEos);
    };
    Ok(TokenizerJson {
        model: "gpt2",
        pre_tokenizer,
        normalization,
        tokens,
        kinds,
        merges: model.merges.iter().map(Merge::line).collect(),
        bos,
        unknown: None,
        separator: None,
        case: Case::default(),
        added: file.added(),
    })
}

/// Refuses added tokens that are found in text in another way than here.
fn check_added(file: &File, normalization: Normalization) -> Result<(), TokenizerError> {
    let any = |is: fn(&Added) -> bool| file.added_tokens.iter().any(is);
    if any(Added::takes_neighbours) {
        return Err(TokenizerError::Json(
            "an added token takes what stands beside it",
        ));
    }
    if normalization != Normalization::AsWritten && any(Added::is_normalized) {
        return Err(TokenizerError::Json(
            "an added token is found only once the text is normalized",
        ));
    }
    if any(Added::has_space) {
        return Err(TokenizerError::Json("an added token has white space in it"));
    }
    Ok(())
}

fn normalization(file: &File) -> Result<Normalization, TokenizerError> {
    let normalizer = file.normalizer.as_ref();
    match normalizer.map(|part| kind(Some(part))) {
        None => Ok(Normalization::AsWritten),
        Some("NFC") => Ok(Normalization::Composed),
        Some(_) => Err(TokenizerError::Json("its normalizer is not known")),
    }
}

/// Refuses a decoder that makes other text of tokens than their bytes.
fn check_decoder(file: &File) -> Result<(), TokenizerError> {
    match &file.decoder {
        Some(decoder) if kind(Some(decoder)) != "ByteLevel" => {
            Err(TokenizerError::Json("its decoder is not ByteLevel"))
        }
        _ => Ok(()),
    }
}

/// Whether every byte is an ordinary token; no two tokens have one text.
fn has_all_bytes(tokens: &[String], kinds: &[i32]) -> bool {
    let is_byte = |text: &str| {
        let mut characters = text.chars();
        let first = characters.next().and_then(byte_alphabet::byte);
        first.is_some() && characters.next().is_none()
    };
    let ordinary = tokens
        .iter()
        .zip(kinds)
        .filter(|(_, kind)| **kind == NORMAL);
    ordinary.filter(|(text, _)| is_byte(text)).count() == 256
}

/// The name that a model file has for these rules.
fn named(part: &Value) -> Option<&'static str> {
    if is_byte_level(part, Regex::Used) {
        return Some("gpt-2");
    }
    if kind(Some(part)) != "Sequence" {
        return None;
    }
    let [first, second] = part.get("pretokenizers")?.as_array()?.as_slice() else {
        return None;
    };
    let digits =
        kind(Some(first)) == "Digits" && flag(Some(first), "individual_digits") == Some(true);
    if digits && is_byte_level(second, Regex::Used) {
        return Some("smollm");
    }
    let isolated = kind(Some(first)) == "Split"
        && first.get("behavior")?.as_str()? == "Isolated"
        && flag(Some(first), "invert") == Some(false);
    match first.get("pattern")?.get("Regex")?.as_str()? {
        _ if !isolated || !is_byte_level(second, Regex::Unused) => None,
        LLAMA3 => Some("llama-bpe"),
        QWEN2 => Some("qwen2"),
        _ => None,
    }
}

/// Whether GPT-2's rules are applied.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Regex {
    Used,
    Unused,
}

fn is_byte_level(part: &Value, regex: Regex) -> bool {
    let used = flag(Some(part), "use_regex").unwrap_or(true);
    kind(Some(part)) == "ByteLevel"
        && flag(Some(part), "add_prefix_space") == Some(false)
        && used == (regex == Regex::Used)
}
