//! What is asked of a local engine, and why it did not start.

use std::io;

use kernels::{Isa, IsaName};

use crate::{
    chat::{ChatError, ChatTemplate},
    gguf::{Gguf, GgufError},
    model::ModelError,
    tokenizer::{Tokenizer, TokenizerError},
};

/// What is asked of a local engine.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct LocalConfig {
    /// Threads that compute; 0: as many as there are cores.
    pub threads: usize,
    /// Sequences that run at the same time, each with a cache of its own, made at the start.
    pub max_sequences: usize,
    /// Jobs that may wait for a sequence.
    pub queue: usize,
    /// Most tokens of a sequence; the model's own context where that is less.
    pub max_context: usize,
    /// The instructions to compute with; the fastest of the machine where none are named.
    pub isa: Option<IsaName>,
}

impl LocalConfig {
    pub(super) fn check(&self) -> Result<(), LoadError> {
        let bounded = self.max_sequences <= 4096 && self.queue <= 65_536;
        match bounded && self.max_sequences > 0 && self.max_context > 1 {
            true => Ok(()),
            false => Err(LoadError::Config),
        }
    }

    pub(super) fn isa(&self) -> Result<Isa, LoadError> {
        let named = |name| Isa::here(name).ok_or(LoadError::Isa(name));
        self.isa.map_or_else(|| Ok(Isa::detect()), named)
    }
}

/// Why a local engine did not start, in the order of the steps; `code()` is stable.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum LoadError {
    /// A limit that lets nothing run, or none at all.
    #[error(
        "an engine needs 1 to 4096 sequences, at most 65536 waiting jobs and a context of at least 2 tokens"
    )]
    Config,
    /// The instructions asked for.
    #[error("this machine lacks the instructions asked for: {0}")]
    Isa(IsaName),
    /// The model file.
    #[error(transparent)]
    Gguf(#[from] GgufError),
    /// Its tokenizer.
    #[error(transparent)]
    Tokenizer(#[from] TokenizerError),
    /// Its chat template.
    #[error(transparent)]
    Template(#[from] ChatError),
    /// Its weights.
    #[error(transparent)]
    Model(#[from] ModelError),
    /// `general.name` has no letter and no digit, or the chosen name is not 1 to 128 of `a-z`, `0-9`, `-` and `.`.
    #[error("the model has no usable name: 1 to 128 of a-z, 0-9, - and . make one")]
    Name,
    /// The operating system gave no thread.
    #[error("no thread for the engine: {0}")]
    Thread(io::ErrorKind),
}

impl LoadError {
    /// Stable code.
    pub fn code(&self) -> &'static str {
        match self {
            Self::Config => "engine.config",
            Self::Isa(_) => "engine.isa",
            Self::Gguf(error) => error.code(),
            Self::Tokenizer(error) => error.code(),
            Self::Template(error) => error.code(),
            Self::Model(error) => error.code(),
            Self::Name => "engine.name",
            Self::Thread(_) => "engine.thread",
        }
    }
}

/// The model's chat template, if it has one.
pub(super) fn template(
    gguf: &Gguf,
    tokenizer: &Tokenizer,
) -> Result<Option<ChatTemplate>, LoadError> {
    match gguf.str(super::card::TEMPLATE_KEY) {
        Ok(source) => {
            let (bos, eos) = (tokenizer.bos_text(), tokenizer.eos_text());
            Ok(Some(ChatTemplate::new(source, bos, eos)?))
        }
        Err(GgufError::MissingKey(_)) => Ok(None),
        Err(other) => Err(other.into()),
    }
}
