//! Why a grammar cannot be followed.

use crate::job::EngineError;

/// Why a grammar cannot be followed, in the order of the steps; nothing of the grammar is in it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum GrammarError {
    /// Tokens too long or too many for a trie.
    Vocabulary,
    /// More text than [`MAX_BYTES`](super::limits::MAX_BYTES).
    Size,
    /// The schema is not JSON.
    Json,
    /// The schema is not a JSON object.
    Object,
    /// Brackets too deep.
    Nesting,
    /// More values than [`MAX_VALUES`](super::limits::MAX_VALUES).
    Values,
    /// More `patternProperties` than [`MAX_PATTERNS`](super::limits::MAX_PATTERNS).
    Patterns,
    /// A bound on lengths or multiples beyond [`MAX_REPEATED`](super::limits::MAX_REPEATED).
    Repeated,
    /// It does not compile, or not within the limits.
    Refused,
    /// An answer led to where following it takes too much.
    Step,
}

impl GrammarError {
    /// Why, in words that quote nothing.
    pub(crate) fn reason(self) -> &'static str {
        match self {
            Self::Vocabulary => "this model's vocabulary cannot be followed",
            Self::Size => "it is longer than 65536 bytes",
            Self::Json => "the schema is not JSON, or nested too deep",
            Self::Object => "the schema is not a JSON object",
            Self::Nesting => "it is nested too deep",
            Self::Values => "the schema has more than 8192 values",
            Self::Patterns => "the schema has more than 16 patternProperties",
            Self::Repeated => "the schema has a length, a count or a multiple above 4096",
            Self::Refused => {
                "it does not compile: it is malformed, contradicts itself, is too large or has what is not supported"
            }
            Self::Step => "following it takes too much",
        }
    }
}

impl From<GrammarError> for EngineError {
    fn from(error: GrammarError) -> Self {
        Self::BadGrammar(error.reason())
    }
}
