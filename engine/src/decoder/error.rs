//! Why a forward pass was refused.

/// Why a forward pass was refused; nothing was computed. `code()` is stable.
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
}

impl DecoderError {
    /// Stable code.
    pub fn code(&self) -> &'static str {
        match self {
            Self::Empty => "decoder.empty",
            Self::UnknownToken => "decoder.unknown_token",
            Self::OtherModel => "decoder.other_model",
            Self::CacheFull { .. } => "decoder.cache_full",
        }
    }
}
