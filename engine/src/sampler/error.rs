//! Why sampling is impossible.

/// Most entries of `logit_bias`.
pub(super) const MAX_BIASED: usize = 1024;

/// Why no token was chosen; `code()` is stable.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum SamplerError {
    /// The temperature is negative or not finite.
    #[error("the temperature is negative or not finite")]
    Temperature,
    /// `top_p` is not above 0 and at most 1.
    #[error("top_p is not above 0 and at most 1")]
    TopP,
    /// `min_p` is not from 0 to 1.
    #[error("min_p is not from 0 to 1")]
    MinP,
    /// `frequency_penalty` is not from -2 to 2.
    #[error("frequency_penalty is not from -2 to 2")]
    FrequencyPenalty,
    /// `presence_penalty` is not from -2 to 2.
    #[error("presence_penalty is not from -2 to 2")]
    PresencePenalty,
    /// `logit_bias` has too many entries.
    #[error("logit_bias has more than {MAX_BIASED} entries")]
    BiasCount,
    /// `logit_bias` has a value that is not from -100 to 100.
    #[error("logit_bias has a value that is not from -100 to 100")]
    BiasValue,
    /// `logit_bias` names a token twice, or one that the vocabulary does not have.
    #[error("logit_bias names a token twice or one that there is not")]
    BiasToken,
    /// More alternatives are to be told than [`MAX_LOGPROBS`](crate::MAX_LOGPROBS).
    #[error("more than 20 alternatives are to be told")]
    Alternatives,
    /// A logit is NaN or positive infinity, or there is none above negative infinity.
    #[error("the logits are no numbers to choose by")]
    Logits,
}

impl SamplerError {
    /// Stable code.
    pub fn code(self) -> &'static str {
        match self {
            Self::Temperature => "sampler.temperature",
            Self::TopP => "sampler.top_p",
            Self::MinP => "sampler.min_p",
            Self::FrequencyPenalty => "sampler.frequency_penalty",
            Self::PresencePenalty => "sampler.presence_penalty",
            Self::BiasCount => "sampler.logit_bias_count",
            Self::BiasValue => "sampler.logit_bias_value",
            Self::BiasToken => "sampler.logit_bias_token",
            Self::Alternatives => "sampler.logprobs",
            Self::Logits => "sampler.logits",
        }
    }
}
