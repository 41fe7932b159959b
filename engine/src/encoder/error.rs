//! Why a text was not embedded.

/// Why a text was not embedded; nothing was computed. `code()` is stable.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum EncoderError {
    /// No tokens.
    #[error("no tokens to embed")]
    Empty,
    /// More tokens than the model takes.
    #[error("the text has {tokens} tokens; the model takes {most}")]
    TooLong {
        /// Tokens of the text.
        tokens: usize,
        /// Most the model takes.
        most: usize,
    },
    /// A token id outside the vocabulary.
    #[error("a token is outside the vocabulary")]
    UnknownToken,
}

impl EncoderError {
    /// Stable code.
    pub fn code(&self) -> &'static str {
        match self {
            Self::Empty => "encoder.empty",
            Self::TooLong { .. } => "encoder.too_long",
            Self::UnknownToken => "encoder.unknown_token",
        }
    }
}
