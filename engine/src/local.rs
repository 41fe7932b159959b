//! The engine that runs in this process: a model file, one thread that decodes, and a bounded queue before it.

mod card;
mod embedding;
mod forward;
mod load;
mod places;
mod plan;
mod prefix;
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
pub use kernels::IsaName;
pub use load::{LoadError, LocalConfig};

use crate::{
    chat::{Chat, ChatError, ChatTemplate},
    decoder::{Decoder, KvPool},
    gguf::Gguf,
    job::{Engine, EngineError, Job, ModelCard, Prompt, Step},
    model::Model,
    tokenizer::{SpecialTokens, Tokenizer},
    tools::ToolSyntax,
};
use forward::LocalDecoder;
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
    pub fn from_gguf(mut gguf: Gguf, config: LocalConfig) -> Result<Self, LoadError> {
        config.check()?;
        let isa = config.isa()?;
        let tokenizer = Arc::new(Tokenizer::from_gguf(&gguf)?);
        let template = load::template(&gguf, &tokenizer)?;
        let model = Arc::new(Model::take(&mut gguf)?);
        let limits = limits(&config, &model, tokenizer.vocabulary_len(), gguf.digest());
        let pages = config.pages(limits.context_tokens, KvPool::page_bytes(&model))?;
        let pool = KvPool::new(&model, pages);
        let decoder = Decoder::with_isa(model, config.threads, isa);
        let card = card::card(&gguf, &tokenizer, decoder.isa(), limits.context_tokens)?;
        let forward = LocalDecoder::new(decoder, pool);
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

fn limits(config: &LocalConfig, model: &Model, tokens: usize, model_digest: [u8; 32]) -> Limits {
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
        let place = self.scheduler.place(job.tenant)?;
        let prompt = self.encode(&job.prompt)?;
        self.scheduler.submit(&job, prompt, place)
    }

    fn tool_syntax(&self) -> Option<ToolSyntax> {
        self.template.as_ref()?.tool_syntax()
    }

    fn capacity(&self) -> usize {
        self.scheduler.capacity()
    }

    fn card(&self) -> &ModelCard {
        &self.card
    }
}

impl LocalEngine {
    /// The tokens of a prompt, as [`Engine::submit`] takes it.
    pub fn encode(&self, prompt: &Prompt) -> Result<Zeroizing<Vec<u32>>, ChatError> {
        Ok(match prompt {
            Prompt::Chat(chat) => Zeroizing::new(self.encode_chat(chat)?),
            Prompt::Text(text) => {
                Zeroizing::new(self.tokenizer.encode_prompt(text, SpecialTokens::Never))
            }
            Prompt::Tokens(ids) => ids.clone(),
        })
    }

    fn encode_chat(&self, chat: &Chat) -> Result<Vec<u32>, ChatError> {
        let template = self.template.as_ref().ok_or(ChatError::NoTemplate)?;
        let prompt = template.render(chat)?;
        let outside = SpecialTokens::Outside(prompt.words());
        Ok(self.tokenizer.encode_prompt(prompt.text(), outside))
    }
}
