//! The engine's contract: a job in, a channel of steps out; texts in, vectors out.

use std::borrow::Cow;

use tokio::sync::{mpsc, oneshot};
use zeroize::{Zeroize, ZeroizeOnDrop, Zeroizing};

use crate::{
    chat::{Chat, ChatError},
    sampler::SamplerError,
    text::StopError,
    tools::ToolSyntax,
};

/// Most alternatives that are told with a token ([`Job::logprobs`]).
pub const MAX_LOGPROBS: u8 = 20;

/// One answer to make. No Debug: it holds the prompt. Prompt and stop strings are wiped when dropped.
#[derive(Clone)]
pub struct Job {
    /// What is to be continued.
    pub prompt: Prompt,
    /// Most tokens to make; none: what the context leaves.
    pub max_tokens: Option<u32>,
    /// How tokens are chosen.
    pub sampling: Sampling,
    /// Byte strings that end the answer; they are not part of it.
    pub stop: Vec<Vec<u8>>,
    /// What the answer must be a word of; none: any text.
    pub grammar: Option<Grammar>,
    /// Tell the log-probability of each token, and so many alternatives (at most [`MAX_LOGPROBS`]); none: tell nothing.
    pub logprobs: Option<u8>,
    /// With whom computed prefixes may be shared; none: with nobody.
    pub cache_secret: Option<CacheSecret>,
    /// Whose turn this takes: serves fairness only, never access.
    pub tenant: TenantId,
}

impl Job {
    /// A job with neutral settings: temperature 1, no stop strings, nothing shared.
    pub fn new(prompt: Prompt) -> Self {
        Self {
            prompt,
            max_tokens: None,
            sampling: Sampling::default(),
            stop: Vec::new(),
            grammar: None,
            logprobs: None,
            cache_secret: None,
            tenant: TenantId::default(),
        }
    }

    /// The same job under another seed.
    #[must_use]
    pub fn with_seed(&self, seed: u64) -> Self {
        let mut job = self.clone();
        job.sampling.seed = seed;
        job
    }
}

impl Drop for Job {
    fn drop(&mut self) {
        self.stop.zeroize();
    }
}

/// What is to be continued or embedded. No Debug. Wiped when dropped.
#[derive(Clone)]
pub enum Prompt {
    /// Messages, through the model's own template.
    Chat(Chat),
    /// Plain text; it never becomes special tokens.
    Text(Zeroizing<String>),
    /// Token ids, taken as they are.
    Tokens(Zeroizing<Vec<u32>>),
}

impl Prompt {
    /// Plain text.
    pub fn text(text: impl Into<String>) -> Self {
        Self::Text(Zeroizing::new(text.into()))
    }

    /// Token ids.
    pub fn tokens(ids: impl Into<Vec<u32>>) -> Self {
        Self::Tokens(Zeroizing::new(ids.into()))
    }
}

/// What an answer must be a word of. No Debug: a schema is the client's.
#[derive(Clone, Zeroize, ZeroizeOnDrop)]
pub enum Grammar {
    /// Any JSON object.
    JsonObject,
    /// JSON that this schema (JSON text) accepts.
    JsonSchema(String),
    /// A Lark grammar, as `llguidance` reads it.
    Lark(String),
}

/// The secret from inside the seal that page keys of the prefix cache are derived from. No Debug.
#[derive(Clone, Zeroize, ZeroizeOnDrop)]
pub struct CacheSecret(pub [u8; 32]);

/// Names whoever a job is for, as far as the engine has to know: equal or not. All zero: nobody in particular.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct TenantId(pub [u8; 32]);

/// How tokens are chosen. The defaults change nothing: temperature 1, everything else off, seed 0.
#[derive(Clone, Debug, PartialEq)]
pub struct Sampling {
    /// 0: greedy (lowest id wins a tie).
    pub temperature: f32,
    /// Nucleus, 0 < p <= 1.
    pub top_p: f32,
    /// The likeliest so many; 0: all.
    pub top_k: u32,
    /// Least probability, as a part of the likeliest's, 0 to 1.
    pub min_p: f32,
    /// Subtracted from the logit of a token for each time the answer has it, -2 to 2.
    pub frequency_penalty: f32,
    /// Subtracted once from the logit of each token that the answer has, -2 to 2.
    pub presence_penalty: f32,
    /// Added to the logits of these ids, -100 to 100 each.
    pub logit_bias: Vec<(u32, f32)>,
    /// Seed of the counter-based generator: same seed, prompt and sampling, same tokens.
    pub seed: u64,
}

impl Default for Sampling {
    fn default() -> Self {
        Self {
            temperature: 1.0,
            top_p: 1.0,
            top_k: 0,
            min_p: 0.0,
            frequency_penalty: 0.0,
            presence_penalty: 0.0,
            logit_bias: Vec::new(),
            seed: 0,
        }
    }
}

impl Sampling {
    /// The likeliest token each time.
    pub fn greedy() -> Self {
        Self {
            temperature: 0.0,
            ..Self::default()
        }
    }
}

/// What happens to a job, in order: `Begun` where the engine knows it, any number of `Token`, one `Done`. The channel closing without `Done`
/// is an engine failure.
pub enum Step {
    /// The prompt was read.
    Begun {
        /// Tokens of the prompt.
        prompt_tokens: u32,
        /// Those of them that were found computed.
        cached_tokens: u32,
    },
    /// One token was made. The token that ends the answer is not among them.
    Token {
        /// Its id; none where an upstream engine does not tell.
        id: Option<u32>,
        /// Text that became certain with it: whole UTF-8 only, never part of a stop string.
        text: String,
        /// How likely it was, where that was asked for.
        logprobs: Option<TokenLogprobs>,
    },
    /// In the place of everything else: only now the engine knows that it cannot do this.
    Refused(EngineError),
    /// The end.
    Done {
        /// Why.
        reason: FinishReason,
        /// Text held back until now.
        text: String,
        /// What it took.
        usage: Usage,
    },
}

/// How likely a token was, before temperature and penalties. No Debug: it is the answer.
#[derive(Clone, PartialEq)]
pub struct TokenLogprobs {
    /// The token that was made.
    pub chosen: Logprob,
    /// The likeliest, likeliest first, as many as were asked for.
    pub top: Vec<Logprob>,
}

/// One token and its natural log-probability. No Debug.
#[derive(Clone, PartialEq)]
pub struct Logprob {
    /// The token's bytes: not always whole characters.
    pub bytes: Vec<u8>,
    /// Natural logarithm of its probability.
    pub logprob: f32,
}

/// Tokens of one answer.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Usage {
    /// Of the prompt.
    pub prompt_tokens: u32,
    /// Those of the prompt that were found computed.
    pub cached_tokens: u32,
    /// Of the answer.
    pub completion_tokens: u32,
}

/// Why a job ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum FinishReason {
    /// End-of-turn token or stop string.
    Stop,
    /// `max_tokens` or the context was reached.
    Length,
}

/// Vectors of the texts of [`Engine::embed`], in their order, and what they took. No Debug: much of a text can be read off its vector. Wiped
/// when dropped.
#[derive(Clone, PartialEq, Zeroize, ZeroizeOnDrop)]
pub struct Embeddings {
    /// One for each text, of length one.
    pub vectors: Vec<Vec<f32>>,
    /// Tokens of all texts.
    pub prompt_tokens: u32,
}

/// Why a job was not taken; `code()` is stable.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum EngineError {
    /// No room: try later.
    #[error("the engine is at capacity")]
    Busy,
    /// The context has no room for the prompt and the answer.
    #[error(
        "{prompt} tokens of the prompt and {answer} of the answer are asked for; the context holds {context}"
    )]
    ContextOverflow {
        /// Tokens of the prompt.
        prompt: usize,
        /// Tokens asked for, at least one.
        answer: usize,
        /// Tokens of the context.
        context: usize,
    },
    /// The context has no room for the prompt alone, which was not read to its end.
    #[error("the prompt has more tokens than the {context} that the context holds")]
    PromptTooLong {
        /// Tokens of the context.
        context: usize,
    },
    /// An empty prompt or a token id outside the vocabulary.
    #[error("the prompt is empty or has an unknown token")]
    BadPrompt,
    /// The template refused the messages.
    #[error(transparent)]
    Chat(#[from] ChatError),
    /// A sampling parameter is impossible.
    #[error(transparent)]
    BadSampling(#[from] SamplerError),
    /// Stop strings are too many, too long or empty.
    #[error(transparent)]
    BadStop(#[from] StopError),
    /// The grammar cannot be followed; why, in words that quote nothing.
    #[error("the grammar cannot be followed: {0}")]
    BadGrammar(&'static str),
    /// More texts to embed than the engine takes at once.
    #[error("too many texts to embed at once; {most} are taken")]
    TooManyTexts {
        /// Most that are taken.
        most: usize,
    },
    /// The model does not do this.
    #[error("the model does not do this: {0}")]
    Unsupported(&'static str),
    /// An upstream engine refused the request as one that it cannot do.
    #[error("the engine refused the request")]
    Refused,
    /// The engine has stopped.
    #[error("the engine has stopped")]
    Stopped,
}

impl EngineError {
    /// Stable code.
    pub fn code(&self) -> &'static str {
        match self {
            Self::Busy => "engine.busy",
            Self::ContextOverflow { .. } => "engine.context_overflow",
            Self::PromptTooLong { .. } => "engine.prompt_too_long",
            Self::BadPrompt => "engine.bad_prompt",
            Self::Chat(error) => error.code(),
            Self::BadSampling(error) => error.code(),
            Self::BadStop(error) => error.code(),
            Self::BadGrammar(_) => "engine.bad_grammar",
            Self::TooManyTexts { .. } => "engine.too_many_texts",
            Self::Unsupported(_) => "engine.unsupported",
            Self::Refused => "engine.refused",
            Self::Stopped => "engine.stopped",
        }
    }
}

/// What the engine serves, for the manifest and `GET /v1/models`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ModelCard {
    /// Public name, from `general.name` or the folder's name made lower-case with dashes, e.g. `smollm2-135m-8k-lc100k-mix1-ep2`.
    pub name: String,
    /// SHA-256 of the model file, or of the list of a model folder's files; made while loading.
    pub model_digest: [u8; 32],
    /// SHA-256 of tokens, merges, types and special ids in a canonical form.
    pub tokenizer_digest: [u8; 32],
    /// SHA-256 of the chat template's text; of nothing where the model has none.
    pub template_digest: [u8; 32],
    /// SHA-256 over the sources and versions of kernels and engine; of an upstream engine, its image's or executable's digest.
    pub kernels_digest: [u8; 32],
    /// Engine mode, `cpu/deterministic` or `upstream/NAME`.
    pub mode: Cow<'static, str>,
    /// Instruction-set path in use; `-` where an upstream engine does not tell.
    pub isa: &'static str,
    /// Context in tokens.
    pub context_tokens: u32,
}

/// Whatever turns a job into steps. Dropping the receiver cancels the job.
pub trait Engine: Send + Sync {
    /// Renders and tokenizes the prompt, checks it, queues the job: takes as long as the prompt is long, so call it where blocking is no harm.
    fn submit(&self, job: Job) -> Result<mpsc::Receiver<Step>, EngineError>;

    /// Submits `job` once for each of `seeds`, which stand in for its own; all are taken or none. An engine that can does for all of them once
    /// what does not depend on the seed.
    fn submit_choices(
        &self,
        job: Job,
        seeds: &[u64],
    ) -> Result<Vec<mpsc::Receiver<Step>>, EngineError> {
        let choices = seeds.iter().map(|seed| self.submit(job.with_seed(*seed)));
        choices.collect()
    }

    /// Turns texts into vectors; the same about blocking. The channel closing without a word is an engine failure.
    fn embed(
        &self,
        texts: Vec<Prompt>,
        tenant: TenantId,
    ) -> Result<oneshot::Receiver<Embeddings>, EngineError> {
        let _ = (texts, tenant);
        Err(EngineError::Unsupported("embeddings"))
    }

    /// How the model was told to write calls of tools; none: it is told nothing of tools.
    fn tool_syntax(&self) -> Option<ToolSyntax> {
        None
    }

    /// How many more jobs would be taken now.
    fn capacity(&self) -> usize;

    /// Why it answers nothing any more, if so: a stable code, for logs. What comes back by itself is no failure.
    fn failure(&self) -> Option<&'static str> {
        None
    }

    /// What is served.
    fn card(&self) -> &ModelCard;
}
