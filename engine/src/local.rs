//! The engine that runs in this process: a model file, one thread that decodes, and a bounded queue before it.

mod batches;
mod card;
mod embedding;
mod forward;
mod load;
mod places;
mod plan;
mod prefix;
mod promise;
mod queue;
mod runner;
mod scheduler;
mod sequence;
#[cfg(test)]
mod tests;

use std::{path::Path, sync::Arc};

use tokio::sync::mpsc::Receiver;
use zeroize::Zeroizing;

pub use card::kernels_digest;
pub(crate) use card::{MODE, name_of as public_name, template_digest};
pub use embedding::{EmbeddingEngine, MAX_TEXTS};
pub use forward::{Backend, Capacity, Forward};
pub use kernels::IsaName;
pub use load::{LoadError, LocalConfig};
pub use promise::PromisedModel;

use crate::{
    chat::{Chat, ChatError, ChatTemplate},
    decoder::KvPool,
    gguf::{Gguf, ModelBytes},
    job::{Engine, EngineError, Job, ModelCard, Prompt, Step},
    model::{Model, ModelError, PlacedMatrix},
    tokenizer::{SpecialTokens, Tokenizer},
    tools::ToolSyntax,
};
use forward::Cpu;
use scheduler::{Limits, Scheduler};

/// Loads what is at `path`, a model file or the folder of an encoder, and serves it under `name` where one is given.
pub fn open(
    path: &Path,
    name: Option<&str>,
    config: LocalConfig,
) -> Result<Arc<dyn Engine>, LoadError> {
    if path.is_dir() {
        let engine = EmbeddingEngine::load(path, config)?;
        return Ok(Arc::new(match name {
            Some(name) => engine.with_name(name)?,
            None => engine,
        }));
    }
    let engine = LocalEngine::load(path, config)?;
    Ok(Arc::new(match name {
        Some(name) => engine.with_name(name)?,
        None => engine,
    }))
}

/// As [`open`], computed by `backend`, which takes model files only.
pub fn open_on<B: Backend>(
    backend: B,
    path: &Path,
    name: Option<&str>,
    config: LocalConfig,
) -> Result<Arc<dyn Engine>, LoadError> {
    config.check()?;
    if path.is_dir() {
        return Err(LoadError::Backend {
            code: "engine.device",
            reason: "a model folder makes embeddings, which the CPU computes".to_owned(),
        });
    }
    let engine = LocalEngine::on(backend, Gguf::open(path)?, config)?;
    Ok(Arc::new(match name {
        Some(name) => engine.with_name(name)?,
        None => engine,
    }))
}

/// A model in this process. When dropped it stops at the next step, closes the channels of unfinished jobs and wipes them.
pub struct LocalEngine {
    card: ModelCard,
    tokenizer: Arc<Tokenizer>,
    template: Option<ChatTemplate>,
    scheduler: Scheduler,
}

impl LocalEngine {
    /// Loads the model file at `path` and starts the thread that decodes.
    pub fn load(path: &Path, config: LocalConfig) -> Result<Self, LoadError> {
        config.check()?;
        config.isa()?;
        Self::from_gguf(Gguf::open(path)?, config)
    }

    /// As [`Self::load`], from a model file in memory.
    pub fn from_gguf(gguf: Gguf, config: LocalConfig) -> Result<Self, LoadError> {
        config.check()?;
        let isa = config.isa()?;
        let threads = config.threads;
        Self::on(Cpu { threads, isa }, gguf, config)
    }

    /// As [`Self::from_gguf`], computed by `backend`.
    pub fn on<B: Backend>(
        backend: B,
        mut gguf: Gguf,
        config: LocalConfig,
    ) -> Result<Self, LoadError> {
        Self::with_model(backend, &mut gguf, Model::take, config)
    }

    /// As [`Self::on`], of a model file that `bytes` holds and whose header `gguf` is: its matrices are read by `backend`.
    pub fn elsewhere<B: Backend<PlacedMatrix>>(
        backend: B,
        (mut gguf, bytes): (Gguf, &dyn ModelBytes),
        config: LocalConfig,
    ) -> Result<Self, LoadError> {
        let model = |gguf: &mut Gguf| Model::describe(gguf, bytes);
        Self::with_model(backend, &mut gguf, model, config)
    }

    fn with_model<M, B: Backend<M>>(
        backend: B,
        gguf: &mut Gguf,
        model: impl FnOnce(&mut Gguf) -> Result<Model<M>, ModelError>,
        config: LocalConfig,
    ) -> Result<Self, LoadError> {
        config.check()?;
        let tokenizer = Arc::new(Tokenizer::from_gguf(gguf)?);
        let template = load::template(gguf, &tokenizer)?;
        let model = Arc::new(model(gguf)?);
        let limits = limits(&config, &model, tokenizer.vocabulary_len(), gguf.digest());
        let capacity = Capacity {
            pages: config.pages(limits.context_tokens, KvPool::page_bytes(&model))?,
            context_tokens: limits.context_tokens,
            sequences: limits.sequences,
        };
        let card = card::card(gguf, &tokenizer, &backend, limits.context_tokens)?;
        let forward = backend.start(&model, capacity)?;
        let scheduler = Scheduler::start(forward, Arc::clone(&tokenizer), limits);
        Ok(Self {
            card,
            tokenizer,
            template,
            scheduler: scheduler.map_err(|error| LoadError::Thread(error.kind()))?,
        })
    }

    /// Serves the model under `name` in place of the one in its file: 1 to 128 of `a-z`, `0-9`, `-` and `.`.
    pub fn with_name(mut self, name: &str) -> Result<Self, LoadError> {
        self.card.name = card::chosen_name(name).ok_or(LoadError::Name)?;
        Ok(self)
    }
}

fn limits<M>(
    config: &LocalConfig,
    model: &Model<M>,
    tokens: usize,
    model_digest: [u8; 32],
) -> Limits {
    Limits {
        sequences: config.max_sequences,
        queue: config.queue,
        context_tokens: config.max_context.min(model.config().context_tokens),
        vocabulary: model.config().vocabulary.min(tokens),
        tenant_jobs: config.tenant_jobs(),
        step_tokens: config.step_tokens,
        cached_tokens_per_secret: config.cached_tokens_per_secret,
        model_digest,
    }
}

impl Engine for LocalEngine {
    fn submit(&self, job: Job) -> Result<Receiver<Step>, EngineError> {
        let seed = job.sampling.seed;
        let mut choices = self.submit_choices(job, &[seed])?;
        choices.pop().ok_or(EngineError::Stopped)
    }

    fn submit_choices(&self, job: Job, seeds: &[u64]) -> Result<Vec<Receiver<Step>>, EngineError> {
        let places = self.scheduler.places(job.tenant, seeds)?;
        let prompt = self.encode(&job.prompt)?;
        self.scheduler.submit(&job, &prompt, places)
    }

    fn tool_syntax(&self) -> Option<ToolSyntax> {
        self.template.as_ref()?.tool_syntax()
    }

    fn capacity(&self) -> usize {
        self.scheduler.capacity()
    }

    fn failure(&self) -> Option<&'static str> {
        self.scheduler.failure()
    }

    fn card(&self) -> &ModelCard {
        &self.card
    }
}

impl LocalEngine {
    /// The tokens of a prompt, as [`Engine::submit`] takes it.
    pub fn encode(&self, prompt: &Prompt) -> Result<Zeroizing<Vec<u32>>, EngineError> {
        match prompt {
            Prompt::Chat(chat) => self.encode_chat(chat),
            Prompt::Text(text) => self.encode_text(text, SpecialTokens::Never),
            Prompt::Tokens(ids) => Ok(ids.clone()),
        }
    }

    fn encode_chat(&self, chat: &Chat) -> Result<Zeroizing<Vec<u32>>, EngineError> {
        let template = self.template.as_ref().ok_or(ChatError::NoTemplate)?;
        let prompt = template.render(chat)?;
        self.encode_text(prompt.text(), SpecialTokens::Outside(prompt.words()))
    }

    /// Refuses what is longer than the context without reading it to its end.
    fn encode_text(
        &self,
        text: &str,
        special: SpecialTokens<'_>,
    ) -> Result<Zeroizing<Vec<u32>>, EngineError> {
        let context = self.scheduler.context_tokens();
        let ids = self.tokenizer.encode_prompt_within(text, special, context);
        ids.map(Zeroizing::new)
            .ok_or(EngineError::PromptTooLong { context })
    }
}
