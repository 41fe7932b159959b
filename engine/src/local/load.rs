//! What is asked of a local engine, and why it did not start.

use std::io;

use kernels::{Isa, IsaName};

use crate::{
    chat::ChatError,
    decoder::{MAX_STEP_TOKENS, PAGE_TOKENS},
    folder::FolderError,
    gguf::GgufError,
    model::ModelError,
    tokenizer::TokenizerError,
};

/// Most memory for keys and values: 16 TiB.
const MAX_KV_BYTES: usize = 1 << 44;

/// What is asked of a local engine.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct LocalConfig {
    /// Threads that compute; 0: as many as there are cores.
    pub threads: usize,
    /// Answers that are made at the same time.
    pub max_sequences: usize,
    /// Jobs that may wait for their turn.
    pub queue: usize,
    /// Most tokens of a sequence; the model's own context where that is less.
    pub max_context: usize,
    /// The instructions to compute with; the fastest of the machine where none are named.
    pub isa: Option<IsaName>,
    /// Tokens that go through the model together, 1 to 256: answers take one each, prompts the rest. More is faster for prompts; less
    /// lets answers flow more evenly.
    pub step_tokens: usize,
    /// Memory for keys and values in bytes, at least what one sequence can take; 0: what all sequences can take.
    pub kv_bytes: usize,
    /// Jobs of one tenant that may run or wait; 0: half of all. Who is nobody in particular may have all.
    pub tenant_jobs: usize,
    /// Tokens whose keys and values are kept for each tenant under each cache secret; 0: none are. Under all of a tenant's secrets at most
    /// half of the memory is kept.
    pub cached_tokens_per_secret: usize,
}

impl Default for LocalConfig {
    fn default() -> Self {
        Self {
            threads: 0,
            max_sequences: 8,
            queue: 64,
            max_context: 8192,
            isa: None,
            step_tokens: 128,
            kv_bytes: 0,
            tenant_jobs: 0,
            cached_tokens_per_secret: 8192,
        }
    }
}

impl LocalConfig {
    pub(super) fn check(&self) -> Result<(), LoadError> {
        let bounded = self.max_sequences <= 4096 && self.queue <= 65_536;
        let steps = (1..=MAX_STEP_TOKENS).contains(&self.step_tokens);
        match bounded && steps && self.max_sequences > 0 && self.max_context > 1 {
            true => Ok(()),
            false => Err(LoadError::Config),
        }
    }

    pub(super) fn tenant_jobs(&self) -> usize {
        match self.tenant_jobs {
            0 => (self.max_sequences + self.queue).div_ceil(2),
            most => most,
        }
    }

    /// How many pages there are to be.
    pub(super) fn pages(&self, context: usize, page_bytes: usize) -> Result<usize, LoadError> {
        let of_one = context.div_ceil(PAGE_TOKENS);
        let of_all = of_one.saturating_mul(self.max_sequences);
        let pages = match self.kv_bytes {
            0 => of_all,
            bytes => bytes / page_bytes,
        };
        let total = pages.checked_mul(page_bytes);
        match total.is_some_and(|bytes| bytes <= MAX_KV_BYTES) && pages >= of_one {
            true => Ok(pages),
            false => Err(LoadError::KvMemory(of_one.saturating_mul(page_bytes))),
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
        "an engine needs 1 to 4096 sequences, at most 65536 waiting jobs, a context of at least 2 tokens and 1 to 256 tokens in a step"
    )]
    Config,
    /// The instructions asked for.
    #[error("this machine lacks the instructions asked for: {0}")]
    Isa(IsaName),
    /// The model file.
    #[error(transparent)]
    Gguf(#[from] GgufError),
    /// The model folder.
    #[error(transparent)]
    Folder(#[from] FolderError),
    /// Its tokenizer.
    #[error(transparent)]
    Tokenizer(#[from] TokenizerError),
    /// Its chat template.
    #[error(transparent)]
    Template(#[from] ChatError),
    /// Its weights.
    #[error(transparent)]
    Model(#[from] ModelError),
    /// The tokenizer has tokens that the weights do not know: it is another model's.
    #[error(
        "the tokenizer has {tokens} tokens, and the model's embedding only {rows} rows: they are not of one model"
    )]
    Vocabulary {
        /// Tokens of the tokenizer.
        tokens: usize,
        /// Tokens of the weights.
        rows: usize,
    },
    /// `general.name`, or the folder's name, has no letter and no digit, or the chosen name is not 1 to 128 of `a-z`, `0-9`, `-` and `.`.
    #[error("the model has no usable name: 1 to 128 of a-z, 0-9, - and . make one")]
    Name,
    /// The memory for keys and values does not hold one sequence, or is more than any machine has.
    #[error(
        "the memory for keys and values is less than the {0} bytes of one sequence, or beyond reason"
    )]
    KvMemory(usize),
    /// What was to compute refused the model or the machine.
    #[error("{reason}")]
    Backend {
        /// Its own stable code.
        code: &'static str,
        /// What it says.
        reason: String,
    },
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
            Self::Folder(error) => error.code(),
            Self::Tokenizer(error) => error.code(),
            Self::Template(error) => error.code(),
            Self::Model(error) => error.code(),
            Self::Vocabulary { .. } => "engine.vocabulary",
            Self::Name => "engine.name",
            Self::KvMemory(_) => "engine.kv_memory",
            Self::Backend { code, .. } => code,
            Self::Thread(_) => "engine.thread",
        }
    }
}
