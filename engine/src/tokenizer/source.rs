//! The parts of a tokenizer as a model file has them (`tokenizer.ggml.*`), before any is believed.

use super::{Case, Normalization, SpacePrefix, TokenizerError, pretokenizer::PreTokenizer};
use crate::gguf::{Gguf, GgufError};

/// The parts of a tokenizer, unchecked.
#[derive(Clone, Default)]
pub struct TokenizerSource<'a> {
    /// Kind of tokenizer: `gpt2` (byte-level byte-pair encoding), `llama` (SentencePiece) or `bert` (WordPiece).
    pub model: &'a str,
    /// Rules that cut text before merging: `gpt2` only.
    pub pre_tokenizer: &'a str,
    /// What becomes of text before those rules cut it: `gpt2` only, folders only.
    pub normalization: Normalization,
    /// Texts of the tokens in the order of their ids, ordinary ones in the byte alphabet (`gpt2`) or with U+2581 for a space.
    pub tokens: Vec<&'a str>,
    /// Kinds of the tokens (`llama_token_type`): 1 normal, 2 unknown, 3 control, 4 user-defined, 5 unused, 6 byte.
    pub kinds: Vec<i32>,
    /// Merges, the first most urgent: two tokens' texts with a space between; `gpt2` only.
    pub merges: Vec<&'a str>,
    /// Scores of the tokens, the greatest joins first; `llama` only.
    pub scores: Vec<f32>,
    /// Beginning of sequence.
    pub bos: Option<u32>,
    /// End of sequence.
    pub eos: Option<u32>,
    /// End of turn.
    pub eot: Option<u32>,
    /// End of message.
    pub eom: Option<u32>,
    /// Tokens that end an answer beside those; folders only.
    pub ends: Vec<u32>,
    /// Stands for an unknown word; `bert` only.
    pub unknown: Option<u32>,
    /// Ends every prompt; `bert` only.
    pub separator: Option<u32>,
    /// Whether a prompt starts with `bos`.
    pub add_bos: bool,
    /// Whether a chat begins with what its template writes, and with no `bos` that the template does not write; folders only.
    pub template_begins: bool,
    /// Whether a prompt ends with `eos`.
    pub add_eos: bool,
    /// What stands before a text; `llama` only.
    pub space_prefix: SpacePrefix,
    /// Upper case and accents; `bert` only.
    pub case: Case,
}

/// Kinds of tokenizers.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Model {
    BytePair(PreTokenizer),
    SentencePiece,
    WordPiece,
}

impl<'a> TokenizerSource<'a> {
    /// Reads the parts from a model file.
    pub fn from_gguf(gguf: &'a Gguf) -> Result<Self, TokenizerError> {
        let common = Self::common(gguf)?;
        match common.model {
            "gpt2" => common.with_merges(gguf),
            "llama" => common.with_scores(gguf),
            "bert" => common.with_words(gguf),
            other => Err(TokenizerError::Model(other.to_owned())),
        }
    }

    fn common(gguf: &'a Gguf) -> Result<Self, TokenizerError> {
        let id = |key| optional(gguf.u32(key));
        Ok(Self {
            model: gguf.str("tokenizer.ggml.model")?,
            tokens: gguf.strs("tokenizer.ggml.tokens")?,
            kinds: gguf.i32s("tokenizer.ggml.token_type")?,
            bos: id("tokenizer.ggml.bos_token_id")?,
            eos: id("tokenizer.ggml.eos_token_id")?,
            eot: id("tokenizer.ggml.eot_token_id")?,
            eom: id("tokenizer.ggml.eom_token_id")?,
            ..Self::default()
        })
    }

    fn with_merges(self, gguf: &'a Gguf) -> Result<Self, TokenizerError> {
        let pre_tokenizer = gguf.str("tokenizer.ggml.pre")?;
        let named = PreTokenizer::named(pre_tokenizer);
        let adds_bos = named.is_some_and(PreTokenizer::adds_bos);
        Ok(Self {
            pre_tokenizer,
            merges: gguf.strs("tokenizer.ggml.merges")?,
            add_bos: flag(gguf, "tokenizer.ggml.add_bos_token")?.unwrap_or(adds_bos),
            add_eos: flag(gguf, "tokenizer.ggml.add_eos_token")?.unwrap_or(false),
            ..self
        })
    }

    fn with_scores(self, gguf: &'a Gguf) -> Result<Self, TokenizerError> {
        let prefixed = flag(gguf, "tokenizer.ggml.add_space_prefix")?.unwrap_or(true);
        Ok(Self {
            scores: gguf.f32s("tokenizer.ggml.scores")?,
            add_bos: flag(gguf, "tokenizer.ggml.add_bos_token")?.unwrap_or(true),
            add_eos: flag(gguf, "tokenizer.ggml.add_eos_token")?.unwrap_or(false),
            space_prefix: match prefixed {
                true => SpacePrefix::Added,
                false => SpacePrefix::None,
            },
            ..self
        })
    }

    /// Older files leave ids out; the tokens are known by their texts.
    fn with_words(self, gguf: &'a Gguf) -> Result<Self, TokenizerError> {
        let id = |key| optional(gguf.u32(key));
        let lower = flag(gguf, "tokenizer.ggml.normalizer.lowercase")?.unwrap_or(true);
        let bare = flag(gguf, "tokenizer.ggml.normalizer.strip_accents")?.unwrap_or(lower);
        Ok(Self {
            bos: self.bos.or_else(|| self.id_of("[CLS]")),
            unknown: id("tokenizer.ggml.unknown_token_id")?.or_else(|| self.id_of("[UNK]")),
            separator: id("tokenizer.ggml.seperator_token_id")?.or_else(|| self.id_of("[SEP]")),
            add_bos: true,
            case: match (lower, bare) {
                (true, true) => Case::Folded,
                (false, false) => Case::Kept,
                _ => return Err(TokenizerError::Normalizer),
            },
            ..self
        })
    }

    /// The id of the token with this text.
    pub(super) fn id_of(&self, text: &str) -> Option<u32> {
        let at = self.tokens.iter().position(|token| *token == text)?;
        u32::try_from(at).ok()
    }

    pub(super) fn check_supported(&self) -> Result<Model, TokenizerError> {
        let model = match self.model {
            "gpt2" => Model::BytePair(self.check_pre_tokenizer()?),
            "llama" => Model::SentencePiece,
            "bert" => Model::WordPiece,
            other => return Err(TokenizerError::Model(other.to_owned())),
        };
        match self.add_eos {
            true => Err(TokenizerError::AddEos),
            false => Ok(model),
        }
    }

    fn check_pre_tokenizer(&self) -> Result<PreTokenizer, TokenizerError> {
        let name = self.pre_tokenizer;
        PreTokenizer::named(name).ok_or_else(|| TokenizerError::PreTokenizer(name.to_owned()))
    }

    /// Every special id is in the vocabulary, and those that the model cannot do without are there.
    pub(super) fn check_special_ids(&self, model: Model) -> Result<(), TokenizerError> {
        let known = |id: &u32| (*id as usize) < self.tokens.len();
        let own = [self.unknown, self.separator];
        let named = self.special_ids();
        let named = named.iter().chain(&own).flatten().chain(&self.ends);
        let all_known = named.copied().all(|id| known(&id));
        let headless = self.add_bos && self.bos.is_none();
        let wordless = model == Model::WordPiece && own.contains(&None);
        match all_known && !headless && !wordless {
            true => Ok(()),
            false => Err(TokenizerError::SpecialId),
        }
    }

    /// `bos`, `eos`, `eot`, `eom`.
    pub(super) fn special_ids(&self) -> [Option<u32>; 4] {
        [self.bos, self.eos, self.eot, self.eom]
    }
}

fn flag(gguf: &Gguf, key: &str) -> Result<Option<bool>, GgufError> {
    optional(gguf.bool(key))
}

fn optional<T>(value: Result<T, GgufError>) -> Result<Option<T>, GgufError> {
    match value {
        Ok(value) => Ok(Some(value)),
        Err(GgufError::MissingKey(_)) => Ok(None),
        Err(other) => Err(other),
    }
}
