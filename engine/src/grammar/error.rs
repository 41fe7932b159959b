//! Why a grammar cannot be followed.

use crate::job::EngineError;

/// Why a grammar cannot be followed, in the order of the steps; nothing of the grammar is in it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum GrammarError {
    /// Tokens too long or too many for a trie.
    Vocabulary,
    /// More text than 64 KiB.
    Size,
    /// The schema is not JSON.
    Json,
    /// The schema is not a JSON object.
    Object,
    /// Brackets too deep.
    Nesting,
    /// More values than 8192.
    Values,
    /// More `patternProperties` than 16.
    Patterns,
    /// More regular expressions of which one string may have to match several than 8.
    Conjuncts,
    /// A bound on lengths or multiples above 4096.
    Repeated,
    /// It does not compile, or not within the limits.
    Refused,
    /// An answer led to where following it takes too much.
    Step,
}

impl GrammarError {
    /// Why, in words that quote nothing.
    pub fn reason(self) -> &'static str {
        match self {
            Self::Vocabulary => "this model's vocabulary cannot be followed",
            Self::Size => "it is longer than 65536 bytes",
            Self::Json => "the schema is not JSON, or nested too deep",
            Self::Object => "the schema is not a JSON object",
            Self::Nesting => "it is nested too deep",
            Self::Values => {
                "the schema has more than 8192 values, or than 1024 where a value has to satisfy several schemas"
            }
            Self::Patterns => "the schema has more than 16 patternProperties",
            Self::Conjuncts => "more than 8 regular expressions may have to match one string",
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
