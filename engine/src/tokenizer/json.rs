//! Hugging Face's `tokenizer.json`, as it lies beside safetensors: byte-level BPE and WordPiece.
//!
//! What it says beyond a GGUF file's metadata (normalizer, pre-tokenizer, template of a prompt) has to be something that the tokenizers here do;
//! anything else is refused.

mod added;
mod around;
mod byte_pair;
mod word_piece;

use std::collections::HashMap;

use serde::Deserialize;
use serde_json::Value;

use super::{Case, Normalization, TokenizerError, TokenizerSource};
use crate::strict_json;

use added::Added;
pub(super) use added::Unsaid;

/// Largest file.
const MAX_BYTES: usize = 64 << 20;

/// A `tokenizer.json` in the terms of [`TokenizerSource`]; the ids of end tokens are not in it.
pub struct TokenizerJson {
    model: &'static str,
    pre_tokenizer: &'static str,
    normalization: Normalization,
    tokens: Vec<String>,
    kinds: Vec<i32>,
    merges: Vec<String>,
    bos: Option<u32>,
    unknown: Option<u32>,
    separator: Option<u32>,
    case: Case,
    /// Tokens that were added, by their texts.
    added: HashMap<String, Added>,
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

    /// The token that was added with this text.
    pub(super) fn added(&self, text: &str) -> Option<&Added> {
        self.added.get(text)
    }

    /// Its parts, for [`super::Tokenizer::new`]: set `eos`, `eot` and `eom` from the model's configuration.
    pub fn source(&self) -> TokenizerSource<'_> {
        TokenizerSource {
            model: self.model,
            pre_tokenizer: self.pre_tokenizer,
            normalization: self.normalization,
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
    decoder: Option<Value>,
    model: Model,
}

#[derive(Deserialize)]
#[serde(tag = "type")]
enum Model {
    #[expect(clippy::upper_case_acronyms, reason = "as the file has it")]
    BPE(byte_pair::Model),
    WordPiece(word_piece::Model),
}

/// Number of an ordinary token (`llama_token_type`).
const NORMAL: i32 = 1;

impl File {
    fn added(&self) -> HashMap<String, Added> {
        let added = self.added_tokens.iter();
        added
            .map(|token| (token.content.clone(), token.clone()))
            .collect()
    }

    /// Texts and kinds of all tokens by id; every id up to the last is there once.
    fn tokens(
        &self,
        vocabulary: &HashMap<String, u32>,
    ) -> Result<(Vec<String>, Vec<i32>), TokenizerError> {
        let fault = TokenizerError::Json("two tokens have one id");
        let mut by_id: HashMap<u32, (&String, i32)> = HashMap::with_capacity(vocabulary.len());
        for (text, id) in vocabulary {
            if by_id.insert(*id, (text, NORMAL)).is_some() {
                return Err(fault);
            }
        }
        for token in &self.added_tokens {
            let known = by_id.insert(token.id, (&token.content, token.kind()));
            // An added token may stand in the vocabulary too, under the same id.
            if known.is_some_and(|known| known != (&token.content, NORMAL)) {
                return Err(fault);
            }
        }
        let ids = 0..u32::try_from(by_id.len()).unwrap_or(u32::MAX);
        let all: Option<Vec<(String, i32)>> = ids
            .map(|id| by_id.get(&id).map(|(text, kind)| ((*text).clone(), *kind)))
            .collect();
        let all = all.ok_or(TokenizerError::Json("an id has no token"))?;
        Ok(all.into_iter().unzip())
    }
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
