//! The parts of a tokenizer as a model file has them (`tokenizer.ggml.*`), before any is believed.

use super::TokenizerError;
use crate::gguf::{Gguf, GgufError};

/// The parts of a tokenizer, unchecked.
#[derive(Clone, Default)]
pub struct TokenizerSource<'a> {
    /// Kind of tokenizer; only `gpt2` is supported.
    pub model: &'a str,
    /// Rules that cut text before merging; only `smollm` is supported.
    pub pre_tokenizer: &'a str,
    /// Texts of the tokens, ordinary ones in the byte alphabet, in the order of their ids.
    pub tokens: Vec<&'a str>,
    /// Kinds of the tokens (`llama_token_type`): 1 normal, 2 unknown, 3 control, 4 user-defined, 5 unused, 6 byte.
    pub kinds: Vec<i32>,
    /// Merges, the first most urgent: two tokens' texts with a space between.
    pub merges: Vec<&'a str>,
    /// Beginning of sequence.
    pub bos: Option<u32>,
    /// End of sequence.
    pub eos: Option<u32>,
    /// End of turn.
    pub eot: Option<u32>,
    /// End of message.
    pub eom: Option<u32>,
    /// Whether a prompt starts with `bos`.
    pub add_bos: bool,
    /// Whether a prompt ends with `eos`.
    pub add_eos: bool,
}

impl<'a> TokenizerSource<'a> {
    /// Reads the parts from a model file.
    pub fn from_gguf(gguf: &'a Gguf) -> Result<Self, TokenizerError> {
        Ok(Self {
            model: gguf.str("tokenizer.ggml.model")?,
            pre_tokenizer: gguf.str("tokenizer.ggml.pre")?,
            tokens: gguf.strs("tokenizer.ggml.tokens")?,
            kinds: gguf.i32s("tokenizer.ggml.token_type")?,
            merges: gguf.strs("tokenizer.ggml.merges")?,
            bos: optional(gguf.u32("tokenizer.ggml.bos_token_id"))?,
            eos: optional(gguf.u32("tokenizer.ggml.eos_token_id"))?,
            eot: optional(gguf.u32("tokenizer.ggml.eot_token_id"))?,
            eom: optional(gguf.u32("tokenizer.ggml.eom_token_id"))?,
            add_bos: optional(gguf.bool("tokenizer.ggml.add_bos_token"))?.unwrap_or(false),
            add_eos: optional(gguf.bool("tokenizer.ggml.add_eos_token"))?.unwrap_or(false),
        })
    }

    pub(super) fn check_supported(&self) -> Result<(), TokenizerError> {
        if self.model != "gpt2" {
            return Err(TokenizerError::Model(self.model.to_owned()));
        }
        if self.pre_tokenizer != "smollm" {
            let name = self.pre_tokenizer.to_owned();
            return Err(TokenizerError::PreTokenizer(name));
        }
        if self.add_eos {
            return Err(TokenizerError::AddEos);
        }
        Ok(())
    }

    pub(super) fn check_special_ids(&self, vocabulary: usize) -> Result<(), TokenizerError> {
        let known = |id: &u32| (*id as usize) < vocabulary;
        let all_known = self.special_ids().iter().flatten().all(known);
        if !all_known || (self.add_bos && self.bos.is_none()) {
            return Err(TokenizerError::SpecialId);
        }
        Ok(())
    }

    /// `bos`, `eos`, `eot`, `eom`.
    pub(super) fn special_ids(&self) -> [Option<u32>; 4] {
        [self.bos, self.eos, self.eot, self.eom]
    }
}

fn optional<T>(value: Result<T, GgufError>) -> Result<Option<T>, GgufError> {
    match value {
        Ok(value) => Ok(Some(value)),
        Err(GgufError::MissingKey(_)) => Ok(None),
        Err(other) => Err(other),
    }
}
