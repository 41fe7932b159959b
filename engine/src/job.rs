//! The engine's contract: a job in, a channel of steps out.

use zeroize::Zeroize;

use crate::{sampler::SamplerError, text::StopError};

/// One completion to run. No Debug: it holds the prompt. Prompt and stop strings are wiped when dropped.
pub struct Job {
    /// Token ids of the prompt, at least one.
    pub prompt: Vec<u32>,
    /// Most tokens to make.
    pub max_tokens: u32,
    /// How tokens are chosen.
    pub sampling: Sampling,
    /// Byte strings that end the answer; they are not part of it.
    pub stop: Vec<Vec<u8>>,
}

impl Drop for Job {
    fn drop(&mut self) {
        self.prompt.zeroize();
        self.stop.zeroize();
    }
}

/// How tokens are chosen.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Sampling {
    /// 0: greedy (lowest id wins a tie).
    pub temperature: f32,
    /// Nucleus, 0 < p <= 1.
    pub top_p: f32,
    /// Seed of the counter-based generator: same seed, prompt and sampling, same tokens.
    pub seed: u64,
}

/// What happens to a job, in order: any number of `Token`, one `Done`. The channel closing without `Done` is an engine failure.
pub enum Step {
    /// One token was made. The token that ends the answer is not among them.
    Token {
        /// Its id.
        id: u32,
        /// Text that became certain with it: whole UTF-8 only, never part of a stop string.
        text: String,
    },
    /// The end.
    Done {
        /// Why.
        reason: FinishReason,
        /// Text held back until now.
        text: String,
    },
}

/// Why a job ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum FinishReason {
    /// End-of-turn token or stop string.
    Stop,
    /// `max_tokens` or the context was reached.
    Length,
}

/// Why a job was not taken; `code()` is stable.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum EngineError {
    /// No room: try later.
    #[error("the engine is at capacity")]
    Busy,
    /// The context has no room for the prompt and one more token.
    #[error("the prompt has {prompt} tokens; the context holds {context}")]
    ContextOverflow {
        /// Tokens of the prompt.
        prompt: usize,
        /// Tokens of the context.
        context: usize,
    },
    /// An empty prompt or a token id outside the vocabulary.
    #[error("the prompt is empty or has an unknown token")]
    BadPrompt,
    /// Temperature or nucleus are impossible.
    #[error(transparent)]
    BadSampling(#[from] SamplerError),
    /// Stop strings are too many, too long or empty.
    #[error(transparent)]
    BadStop(#[from] StopError),
    /// The engine has stopped.
    #[error("the engine has stopped")]
    Stopped,
}

impl EngineError {
    /// Stable code.
    pub fn code(self) -> &'static str {
        match self {
            Self::Busy => "engine.busy",
            Self::ContextOverflow { .. } => "engine.context_overflow",
            Self::BadPrompt => "engine.bad_prompt",
            Self::BadSampling(error) => error.code(),
            Self::BadStop(error) => error.code(),
            Self::Stopped => "engine.stopped",
        }
    }
}

/// What the engine serves, for the manifest and `GET /v1/models`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ModelCard {
    /// Public name, from `general.name` made lower-case with dashes, e.g. `smollm2-135m-8k-lc100k-mix1-ep2`.
    pub name: String,
    /// SHA-256 of the model file, made while loading.
    pub model_digest: [u8; 32],
    /// SHA-256 of tokens, merges, types and special ids in a canonical form.
    pub tokenizer_digest: [u8; 32],
    /// SHA-256 of the chat template's text; of nothing where the model has none.
    pub template_digest: [u8; 32],
    /// SHA-256 over the kernels' sources and version.
    pub kernels_digest: [u8; 32],
    /// Engine mode, `cpu/deterministic`.
    pub mode: &'static str,
    /// Instruction-set path in use.
    pub isa: &'static str,
    /// Context in tokens.
    pub context_tokens: u32,
}

/// Whatever turns a job into steps. Dropping the receiver cancels the job.
pub trait Engine: Send + Sync {
    /// Queues a job.
    fn submit(&self, job: Job) -> Result<tokio::sync::mpsc::Receiver<Step>, EngineError>;
    /// How many more jobs would be taken now.
    fn capacity(&self) -> usize;
    /// What is served.
    fn card(&self) -> &ModelCard;
    /// Chat messages to prompt tokens, through the model's own template.
    fn encode_chat(
        &self,
        messages: &[crate::chat::Message],
    ) -> Result<Vec<u32>, crate::chat::ChatError>;
    /// Plain text to prompt tokens; text never becomes special tokens.
    fn encode_text(&self, text: &str) -> Vec<u32>;
}
