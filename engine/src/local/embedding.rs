//! The engine for embeddings: a model folder and the thread that encodes.

use std::path::Path;

use tokio::sync::{mpsc::Receiver as Steps, oneshot};
use zeroize::Zeroizing;

use super::{LoadError, LocalConfig, batches::Batches, card, described::Described};
use crate::{
    encoder::{Encoder, EncoderConfig},
    folder::ModelFolder,
    job::{Embeddings, Engine, EngineError, Job, ModelCard, Prompt, Step, TenantId},
    tokenizer::{SpecialTokens, Tokenizer},
};

/// Most texts of a batch.
pub const MAX_TEXTS: usize = 2048;

/// An encoder in this process. When dropped it stops at the next turn and closes the channels of unfinished batches.
pub struct EmbeddingEngine {
    card: ModelCard,
    tokenizer: Tokenizer,
    shape: EncoderConfig,
    batches: Batches,
}

impl EmbeddingEngine {
    /// Loads the model folder at `path` and starts the thread that encodes. It is served under the folder's name unless told
    /// otherwise.
    pub fn load(path: &Path, config: LocalConfig) -> Result<Self, LoadError> {
        config.check()?;
        config.isa()?;
        Self::of_folder(path, &ModelFolder::open(path)?, config)
    }

    /// As [`Self::load`], from the folder at `path` once it is read.
    pub(super) fn of_folder(
        path: &Path,
        folder: &ModelFolder,
        config: LocalConfig,
    ) -> Result<Self, LoadError> {
        let isa = config.isa()?;
        let described = Described::of_encoder(path, folder)?;
        let encoder = Encoder::load(folder, config.threads, isa)?;
        described.check_vocabulary(encoder.config().vocabulary)?;
        let shape = EncoderConfig {
            max_tokens: encoder.config().max_tokens.min(config.max_context),
            ..*encoder.config()
        };
        let places = config.max_sequences.saturating_add(config.queue);
        let batches = Batches::start(encoder, places, config.tenant_jobs());
        Ok(Self {
            card: card::card(&described, (card::MODE, isa.name()), shape.max_tokens),
            tokenizer: described.tokenizer,
            shape,
            batches: batches.map_err(|error| LoadError::Thread(error.kind()))?,
        })
    }

    /// Serves the model under `name`: 1 to 128 of `a-z`, `0-9`, `-` and `.`.
    pub fn with_name(mut self, name: &str) -> Result<Self, LoadError> {
        self.card.name = card::chosen_name(name).ok_or(LoadError::Name)?;
        Ok(self)
    }

    fn encode_text(&self, text: &str) -> Result<Zeroizing<Vec<u32>>, EngineError> {
        let (never, context) = (SpecialTokens::Never, self.shape.max_tokens);
        let ids = self.tokenizer.encode_prompt_within(text, never, context);
        ids.map(Zeroizing::new)
            .ok_or(EngineError::PromptTooLong { context })
    }

    fn encode(&self, text: &Prompt) -> Result<Zeroizing<Vec<u32>>, EngineError> {
        let ids = match text {
            Prompt::Text(text) => self.encode_text(text)?,
            Prompt::Tokens(ids) => ids.clone(),
            Prompt::Chat(_) => return Err(EngineError::Unsupported("embeddings of a chat")),
        };
        if ids.len() > self.shape.max_tokens {
            return Err(EngineError::ContextOverflow {
                prompt: ids.len(),
                answer: 0,
                context: self.shape.max_tokens,
            });
        }
        let known = ids.iter().all(|id| (*id as usize) < self.shape.vocabulary);
        match known && !ids.is_empty() {
            true => Ok(ids),
            false => Err(EngineError::BadPrompt),
        }
    }
}

impl Engine for EmbeddingEngine {
    fn submit(&self, _job: Job) -> Result<Steps<Step>, EngineError> {
        Err(EngineError::Unsupported("text generation"))
    }

    fn embed(
        &self,
        texts: Vec<Prompt>,
        tenant: TenantId,
    ) -> Result<oneshot::Receiver<Embeddings>, EngineError> {
        match texts.len() {
            0 => return Err(EngineError::BadPrompt),
            1..=MAX_TEXTS => {}
            _ => return Err(EngineError::TooManyTexts { most: MAX_TEXTS }),
        }
        let place = self.batches.place(tenant)?;
        let encoded = texts.iter().map(|text| self.encode(text));
        let encoded = encoded.collect::<Result<_, _>>()?;
        self.batches.submit(encoded, tenant, place)
    }

    fn capacity(&self) -> usize {
        self.batches.capacity()
    }

    fn failure(&self) -> Option<&'static str> {
        self.batches.failure()
    }

    fn card(&self) -> &ModelCard {
        &self.card
    }
}
