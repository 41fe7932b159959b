//! Why a tokenizer was refused.

use crate::{folder::SettingFault, gguf::GgufError};

/// Why a tokenizer was refused, in the order of the checks; `code()` is stable.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum TokenizerError {
    /// The model file lacks a part.
    #[error(transparent)]
    Gguf(#[from] GgufError),
    /// `tokenizer.json` asks for something that is not done here, or is no such file.
    #[error("tokenizer.json is refused: {0}")]
    Json(&'static str),
    /// A file beside `tokenizer.json` is no such file, or has a value that is of another kind than it should be, asks for what is not done here,
    /// or says other things of tokens than `tokenizer.json`.
    #[error("{file} is refused: {fault}")]
    Settings {
        /// The file.
        file: &'static str,
        /// The fault, or the key that has it.
        fault: &'static str,
    },
    /// `tokenizer.ggml.model` is none of `gpt2`, `llama` and `bert`.
    #[error("tokenizer model {0} is not supported; gpt2, llama and bert are")]
    Model(String),
    /// Lower case without accents stripped, or the other way round.
    #[error(
        "a normalizer that folds case but not accents, or accents but not case, is not supported"
    )]
    Normalizer,
    /// `tokenizer.ggml.pre` is none of those in `pretokenizer.rs`.
    #[error(
        "pre-tokenizer {0} is not supported; default, gpt-2, llama-bpe, qwen2, smollm and tekken are"
    )]
    PreTokenizer(String),
    /// The model wants an end token behind every prompt.
    #[error("a tokenizer that ends every prompt is not supported")]
    AddEos,
    /// No tokens, more than the cap, or not one kind for each.
    #[error("{tokens} tokens with {kinds} kinds")]
    TokenCount {
        /// Tokens.
        tokens: usize,
        /// Kinds.
        kinds: usize,
    },
    /// A token kind outside 1 to 6.
    #[error("token {id} has unknown kind {kind}")]
    TokenKind {
        /// Which token.
        id: u32,
        /// Its kind.
        kind: i32,
    },
    /// A token is empty, an ordinary one has a character outside the byte alphabet, or a byte's is not `<0x00>` to `<0xFF>`.
    #[error("token {0} is empty or not spelled as its kind is")]
    TokenText(u32),
    /// Two tokens have the same text.
    #[error("token {0} repeats an earlier one")]
    DuplicateToken(u32),
    /// A merge is not two ordinary tokens that make a third, or repeats an earlier one.
    #[error("merge {0} is not two ordinary tokens that make a third, or repeats an earlier one")]
    Merge(usize),
    /// Not one score for each token, or one that is no number.
    #[error("there is not one score for each token")]
    Scores,
    /// A byte has no token, so some texts would have none.
    #[error("the vocabulary lacks tokens of single bytes")]
    ByteTokens,
    /// A special id outside the vocabulary, `add_bos_token` without a beginning token, or `bert` without a separator or unknown token.
    #[error("a special token id is absent or outside the vocabulary")]
    SpecialId,
}

impl TokenizerError {
    /// Stable code.
    pub fn code(&self) -> &'static str {
        match self {
            Self::Gguf(error) => error.code(),
            Self::Json(_) => "tokenizer.json",
            Self::Settings { .. } => "tokenizer.settings",
            Self::Model(_) => "tokenizer.model",
            Self::Normalizer => "tokenizer.normalizer",
            Self::PreTokenizer(_) => "tokenizer.pre_tokenizer",
            Self::AddEos => "tokenizer.add_eos",
            Self::TokenCount { .. } => "tokenizer.token_count",
            Self::TokenKind { .. } => "tokenizer.token_kind",
            Self::TokenText(_) => "tokenizer.token_text",
            Self::DuplicateToken(_) => "tokenizer.duplicate_token",
            Self::Merge(_) => "tokenizer.merge",
            Self::Scores => "tokenizer.scores",
            Self::ByteTokens => "tokenizer.byte_tokens",
            Self::SpecialId => "tokenizer.special_id",
        }
    }
}

impl From<SettingFault> for TokenizerError {
    fn from(SettingFault { file, fault }: SettingFault) -> Self {
        Self::Settings { file, fault }
    }
}
