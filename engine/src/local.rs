//! The engine that runs in this process: a model file or folder, one thread that decodes, and a bounded queue before it.

mod batches;
mod card;
mod described;
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
mod source;
#[cfg(test)]
mod tests;

use std::{path::Path, sync::Arc};

use tokio::sync::mpsc::Receiver;
use zeroize::Zeroizing;

pub(crate) use card::MODE;
pub use card::kernels_digest;
pub(crate) use described::{name_of as public_name, template_digest};
pub use embedding::{EmbeddingEngine, MAX_TEXTS};
pub use forward::{Backend, Capacity, Forward};
pub use kernels::IsaName;
pub use load::{LoadError, LocalConfig};
pub use promise::PromisedModel;

use crate::{
    chat::{Chat, ChatError, ChatTemplate},
    decoder::KvPool,
    folder::ModelFolder,
    gguf::{Gguf, ModelBytes},
    job::{Engine, EngineError, Job, ModelCard, Prompt, Step},
    model::{Model, PlacedMatrix},
    tokenizer::{SpecialTokens, Tokenizer},
    tools::ToolSyntax,
};
use described::Described;
use forward::Cpu;
use scheduler::{Limits, Scheduler};
use source::Source;

/// Loads what is at `path`, a model file or a model folder, and serves it under `name` where one is given.
pub fn open(
    path: &Path,
    name: Option<&str>,
    config: LocalConfig,
) -> Result<Arc<dyn Engine>, LoadError> {
    config.check()?;
    let cpu = Cpu::of(&config)?;
    match Source::read(path)? {
        Source::File(gguf) => named(LocalEngine::on(cpu, gguf, config)?, name),
        Source::Decoder(folder) => named(LocalEngine::on_folder(cpu, path, folder, config)?, name),
        Source::Encoder(folder) => {
            let engine = EmbeddingEngine::of_folder(path, &folder, config)?;
            Ok(Arc::new(match name {
                Some(name) => engine.with_name(name)?,
                None => engine,
            }))
        }
    }
}

/// As [`open`], computed by `backend`, which takes decoders only.
pub fn open_on<B: Backend>(
    backend: B,
    path: &Path,
    name: Option<&str>,
    config: LocalConfig,
) -> Result<Arc<dyn Engine>, LoadError> {
    config.check()?;
    let engine = match Source::read(path)? {
        Source::File(gguf) => LocalEngine::on(backend, gguf, config)?,
        Source::Decoder(folder) => LocalEngine::on_folder(backend, path, folder, config)?,
        Source::Encoder(_) => {
            return Err(LoadError::Backend {
                code: "engine.device",
                reason: "the folder's model makes embeddings, which the CPU computes".to_owned(),
            });
        }
    };
    named(engine, name)
}

fn named(engine: LocalEngine, name: Option<&str>) -> Result<Arc<dyn Engine>, LoadError> {
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
    /// Loads the decoder at `path`, a model file or a model folder, and starts the thread that decodes.
    pub fn load(path: &Path, config: LocalConfig) -> Result<Self, LoadError> {
        config.check()?;
        let cpu = Cpu::of(&config)?;
        match Source::read(path)? {
            Source::File(gguf) => Self::on(cpu, gguf, config),
            Source::Decoder(folder) | Source::Encoder(folder) => {
                Self::on_folder(cpu, path, folder, config)
            }
        }
    }

    /// As [`Self::load`], from a model file in memory.
    pub fn from_gguf(gguf: Gguf, config: LocalConfig) -> Result<Self, LoadError> {
        config.check()?;
        Self::on(Cpu::of(&config)?, gguf, config)
    }

    /// As [`Self::from_gguf`], computed by `backend`.
    pub fn on<B: Backend>(
        backend: B,
        mut gguf: Gguf,
        config: LocalConfig,
    ) -> Result<Self, LoadError> {
        config.check()?;
        let described = Described::of_gguf(&gguf)?;
        let model = Model::take(&mut gguf)?;
        Self::start(backend, described, model, config)
    }

    /// As [`Self::on`], of a model file that `bytes` holds and whose header `gguf` is: its matrices are read by `backend`.
    pub fn elsewhere<B: Backend<PlacedMatrix>>(
        backend: B,
        (gguf, bytes): (Gguf, &dyn ModelBytes),
        config: LocalConfig,
    ) -> Result<Self, LoadError> {
        config.check()?;
        let described = Described::of_gguf(&gguf)?;
        let model = Model::describe(&gguf, bytes)?;
        Self::start(backend, described, model, config)
    }

    /// As [`Self::on`], of the folder that was read at `path`; nothing of it is kept but what was packed.
    fn on_folder<B: Backend>(
        backend: B,
        path: &Path,
        mut folder: ModelFolder,
        config: LocalConfig,
    ) -> Result<Self, LoadError> {
        let described = Described::of_decoder(path, &folder)?;
        let model = Model::take_folder(&mut folder)?;
        drop(folder);
        Self::start(backend, described, model, config)
    }

    fn start<M, B: Backend<M>>(
        backend: B,
        described: Described,
        model: Model<M>,
        config: LocalConfig,
    ) -> Result<Self, LoadError> {
        described.check_vocabulary(model.config().vocabulary)?;
        let model = Arc::new(model);
        let limits = limits(&config, &model, &described);
        let capacity = Capacity {
            pages: config.pages(limits.context_tokens, KvPool::page_bytes(&model))?,
            context_tokens: limits.context_tokens,
            sequences: limits.sequences,
        };
        let computed = (backend.mode(), backend.isa());
        let card = card::card(&described, computed, limits.context_tokens);
        let forward = backend.start(&model, capacity)?;
        let tokenizer = Arc::new(described.tokenizer);
        let scheduler = Scheduler::start(forward, Arc::clone(&tokenizer), limits);
        Ok(Self {
            card,
            tokenizer,
            template: described.template,
            scheduler: scheduler.map_err(|error| LoadError::Thread(error.kind()))?,
        })
    }

    /// Serves the model under `name` in place of its own: 1 to 128 of `a-z`, `0-9`, `-` and `.`.
    pub fn with_name(mut self, name: &str) -> Result<Self, LoadError> {
        self.card.name = card::chosen_name(name).ok_or(LoadError::Name)?;
        Ok(self)
    }
}

fn limits<M>(config: &LocalConfig, model: &Model<M>, described: &Described) -> Limits {
    Limits {
        sequences: config.max_sequences,
        queue: config.queue,
        context_tokens: config.max_context.min(model.config().context_tokens),
        vocabulary: described.tokenizer.vocabulary_len(),
        tenant_jobs: config.tenant_jobs(),
        step_tokens: config.step_tokens,
        cached_tokens_per_secret: config.cached_tokens_per_secret,
        model_digest: described.model_digest,
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
            Prompt::Text(text) => self.encode_text(text),
            Prompt::Tokens(ids) => Ok(ids.clone()),
        }
    }

    fn encode_chat(&self, chat: &Chat) -> Result<Zeroizing<Vec<u32>>, EngineError> {
        let template = self.template.as_ref().ok_or(ChatError::NoTemplate)?;
        let prompt = template.render(chat)?;
        let (text, words) = (prompt.text(), prompt.words());
        self.within_context(|most| self.tokenizer.encode_chat_within(text, words, most))
    }

    fn encode_text(&self, text: &str) -> Result<Zeroizing<Vec<u32>>, EngineError> {
        let special = SpecialTokens::Never;
        self.within_context(|most| self.tokenizer.encode_prompt_within(text, special, most))
    }

    /// Refuses what is longer than the context without reading it to its end.
    fn within_context(
        &self,
        encode: impl FnOnce(usize) -> Option<Vec<u32>>,
    ) -> Result<Zeroizing<Vec<u32>>, EngineError> {
        let context = self.scheduler.context_tokens();
        let ids = encode(context);
        ids.map(Zeroizing::new)
            .ok_or(EngineError::PromptTooLong { context })
    }
}
