//! Hugging Face's `tokenizer.json`, as it lies beside safetensors: byte-level BPE and WordPiece.
//!
//! What it says beyond a GGUF file's metadata (normalizer, pre-tokenizer, template of a prompt) has to be something that the tokenizers here do;
//! anything else is refused. Unicode normalization to NFC, which Qwen's file asks for, is not done: nor does llama.cpp.

mod byte_pair;
mod word_piece;

use std::collections::HashMap;

use serde::Deserialize;
use serde_json::Value;

use super::{Case, TokenizerError, TokenizerSource};
use crate::strict_json;

/// Largest file.
const MAX_BYTES: usize = 64 << 20;

/// A `tokenizer.json` in the terms of [`TokenizerSource`]; the ids of end tokens are not in it.
pub struct TokenizerJson {
    model: &'static str,
    pre_tokenizer: &'static str,
    tokens: Vec<String>,
    kinds: Vec<i32>,
    merges: Vec<String>,
    bos: Option<u32>,
    unknown: Option<u32>,
    separator: Option<u32>,
    case: Case,
}

impl TokenizerJson {
    /// Reads a file's text.
    pub fn parse(json: &[u8]) -> Result<Self, TokenizerError> {
        if json.len() > MAX_BYTES {
            return Err(TokenizerError::Json("it is larger than 64 MiB"));
        }
        let file: File = strict_json::parse(json)
            .map_err(|_| TokenizerError::Json("it is no tokenizer of a kind that is known"))?;
        match &file.model {
            Model::BPE(model) => byte_pair::read(&file, model),
            Model::WordPiece(model) => word_piece::read(&file, model),
        }
    }

    /// Its parts, for [`super::Tokenizer::new`]: set `eos`, `eot` and `eom` from the model's configuration.
    pub fn source(&self) -> TokenizerSource<'_> {
        TokenizerSource {
            model: self.model,
            pre_tokenizer: self.pre_tokenizer,
            tokens: self.tokens.iter().map(String::as_str).collect(),
            kinds: self.kinds.clone(),
            merges: self.merges.iter().map(String::as_str).collect(),
            bos: self.bos,
            unknown: self.unknown,
            separator: self.separator,
            add_bos: self.bos.is_some(),
            case: self.case,
            ..TokenizerSource::default()
        }
    }
}

#[derive(Deserialize)]
struct File {
    #[serde(default)]
    added_tokens: Vec<Added>,
    normalizer: Option<Value>,
    pre_tokenizer: Option<Value>,
    post_processor: Option<Value>,
    model: Model,
}

#[derive(Deserialize)]
struct Added {
    id: u32,
    content: String,
    special: bool,
    #[serde(default)]
    lstrip: bool,
    #[serde(default)]
    rstrip: bool,
    #[serde(default)]
    single_word: bool,
}

impl Added {
    /// Whether white space beside it becomes part of it, or letters beside it hide it.
    fn takes_neighbours(&self) -> bool {
        self.lstrip || self.rstrip || self.single_word
    }
}

#[derive(Deserialize)]
#[serde(tag = "type")]
enum Model {
    #[expect(clippy::upper_case_acronyms, reason = "as the file has it")]
    BPE(byte_pair::Model),
    WordPiece(word_piece::Model),
}

/// Number of a control and of a user-defined token (`llama_token_type`).
const CONTROL: i32 = 3;
const USER_DEFINED: i32 = 4;
const NORMAL: i32 = 1;

impl File {
    /// Texts and kinds of all tokens by id; every id up to the last is there once.
    fn tokens(
        &self,
        vocabulary: &HashMap<String, u32>,
    ) -> Result<(Vec<String>, Vec<i32>), TokenizerError> {
        let ordinary = vocabulary.iter().map(|(text, id)| (*id, (text, NORMAL)));
        let kind = |special| match special {
            true => CONTROL,
            false => USER_DEFINED,
        };
        let added = self.added_tokens.iter();
        let added = added.map(|token| (token.id, (&token.content, kind(token.special))));
        let mut by_id: HashMap<u32, (&String, i32)> = ordinary.collect();
        for (id, token) in added {
            // An added token may stand in the vocabulary too, under the same id.
            if by_id
                .insert(id, token)
                .is_some_and(|known| known.0 != token.0)
            {
                return Err(TokenizerError::Json("two tokens have one id"));
            }
        }
        let ids = 0..u32::try_from(by_id.len()).unwrap_or(u32::MAX);
        let all: Option<Vec<(String, i32)>> = ids
            .map(|id| by_id.get(&id).map(|(text, kind)| ((*text).clone(), *kind)))
            .collect();
        let all = all.ok_or(TokenizerError::Json("an id has no token"))?;
        Ok(all.into_iter().unzip())
    }

    /// Ids of the special tokens that the post-processor puts before and behind a text.
    fn around(&self) -> Result<(Option<u32>, Option<u32>), TokenizerError> {
        let Some(processor) = self.post_processor.as_ref() else {
            return Ok((None, None));
        };
        let fault = TokenizerError::Json("its post-processor is not known");
        let id = |text: &str| {
            let token = self.added_tokens.iter().find(|token| token.content == text);
            token.map(|token| token.id).ok_or(fault.clone())
        };
        let (before, after) = template(processor).ok_or(fault.clone())?;
        Ok((before.map(id).transpose()?, after.map(id).transpose()?))
    }
}

/// Texts of the special tokens around a text; none: not understood.
fn template(processor: &Value) -> Option<(Option<&str>, Option<&str>)> {
    match processor.get("type")?.as_str()? {
        "ByteLevel" => Some((None, None)),
        "TemplateProcessing" => single(processor.get("single")?.as_array()?),
        "BertProcessing" => Some((
            Some(processor.get("cls")?.get(0)?.as_str()?),
            Some(processor.get("sep")?.get(0)?.as_str()?),
        )),
        "Sequence" => {
            let parts = processor.get("processors")?.as_array()?;
            let parts: Option<Vec<_>> = parts.iter().map(template).collect();
            let mut telling = parts?.into_iter().filter(|part| *part != (None, None));
            let first = telling.next().unwrap_or_default();
            telling.next().is_none().then_some(first)
        }
        _ => None,
    }
}

fn single(pieces: &[Value]) -> Option<(Option<&str>, Option<&str>)> {
    let is_text = |piece: &Value| piece.get("Sequence").is_some();
    match pieces {
        [text] if is_text(text) => Some((None, None)),
        [before, text] if is_text(text) => Some((Some(special(before)?), None)),
        [before, text, after] if is_text(text) => {
            Some((Some(special(before)?), Some(special(after)?)))
        }
        _ => None,
    }
}

fn special(piece: &Value) -> Option<&str> {
    piece.get("SpecialToken")?.get("id")?.as_str()
}

/// The `type` of a part, empty where it is absent.
fn kind(part: Option<&Value>) -> &str {
    let kind = part.and_then(|part| part.get("type"));
    kind.and_then(Value::as_str).unwrap_or_default()
}

/// A truth value of a part; none where it is absent or null.
fn flag(part: Option<&Value>, name: &str) -> Option<bool> {
    part?.get(name)?.as_bool()
}
