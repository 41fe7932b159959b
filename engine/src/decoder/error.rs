//! Why a forward pass was refused.

use super::MAX_STEP_TOKENS;

/// Why a forward pass was refused; nothing was appended. `code()` is stable.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum DecoderError {
    /// No tokens.
    #[error("no tokens to decode")]
    Empty,
    /// A token id outside the vocabulary.
    #[error("a token is outside the vocabulary")]
    UnknownToken,
    /// The cache was made for a model of another shape.
    #[error("the cache belongs to another model")]
    OtherModel,
    /// The sequence would outgrow its cache.
    #[error("the sequence outgrows its cache of {capacity_tokens} tokens")]
    CacheFull {
        /// Tokens the cache can hold.
        capacity_tokens: usize,
    },
    /// More tokens than a step takes.
    #[error("a step takes at most {MAX_STEP_TOKENS} tokens")]
    TooManyTokens,
    /// The pool has not so many free pages.
    #[error("the pool has not so many free pages")]
    NoPages,
    /// The device that computes did not do as it was told.
    #[error("the device failed")]
    Device,
}

impl DecoderError {
    /// Stable code.
    pub fn code(&self) -> &'static str {
        match self {
            Self::Empty => "decoder.empty",
            Self::UnknownToken => "decoder.unknown_token",
            Self::OtherModel => "decoder.other_model",
            Self::CacheFull { .. } => "decoder.cache_full",
            Self::TooManyTokens => "decoder.too_many_tokens",
            Self::NoPages => "decoder.no_pages",
            Self::Device => "decoder.device",
        }
    }
}
