//! Byte-level BPE in `tokenizer.json`: the pre-tokenizer is known by its rules.

use std::collections::HashMap;

use serde::Deserialize;
use serde_json::Value;

use super::{Added, File, TokenizerJson, flag, kind};
use crate::tokenizer::{Case, TokenizerError, pretokenizer::PreTokenizer};

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
    if file.added_tokens.iter().any(Added::takes_neighbours) {
        return Err(TokenizerError::Json(
            "an added token takes what stands beside it",
        ));
    }
    if !matches!(kind(file.normalizer.as_ref()), "" | "NFC") {
        return Err(TokenizerError::Json("its normalizer is not known"));
    }
    let pre_tokenizer = file.pre_tokenizer.as_ref().and_then(named);
    let pre_tokenizer =
        pre_tokenizer.ok_or(TokenizerError::Json("its pre-tokenizer is not known"))?;
    let whole = PreTokenizer::named(pre_tokenizer).is_some_and(PreTokenizer::takes_whole_pieces);
    if model.ignore_merges && !whole {
        return Err(TokenizerError::Json("its merges are ignored"));
    }
    let (tokens, kinds) = file.tokens(&model.vocab)?;
    let (bos, None) = file.around()? else {
        return Err(TokenizerError::AddEos);
    };
    Ok(TokenizerJson {
        model: "gpt2",
        pre_tokenizer,
        tokens,
        kinds,
        merges: model.merges.iter().map(Merge::line).collect(),
        bos,
        unknown: None,
        separator: None,
        case: Case::default(),
    })
}

/// The name that a model file has for these rules.
fn named(part: &Value) -> Option<&'static str> {
    if is_byte_level(part, Regex::Used) {
        return Some("gpt-2");
    }
    let [first, second] = part.get("pretokenizers")?.as_array()?.as_slice() else {
        return None;
    };
    let digits =
        kind(Some(first)) == "Digits" && flag(Some(first), "individual_digits") == Some(true);
    if digits && is_byte_level(second, Regex::Used) {
        return Some("smollm");
    }
    let isolated = first.get("behavior")?.as_str()? == "Isolated"
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
