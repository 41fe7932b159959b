//! The engine for embeddings: a model folder, one thread that encodes, and a bounded queue before it.
//!
//! Batches take turns, a few texts each time, so that a long batch does not hold up a short one.

use std::{
    collections::VecDeque,
    path::Path,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
        mpsc,
    },
    thread::{self, JoinHandle},
};

use tokio::sync::{
    OwnedSemaphorePermit, Semaphore, TryAcquireError, mpsc::Receiver as Steps, oneshot,
};
use zeroize::Zeroizing;

use super::{LoadError, LocalConfig, card};
use crate::{
    encoder::{Encoder, EncoderConfig},
    folder::ModelFolder,
    job::{Embeddings, Engine, EngineError, Job, ModelCard, Prompt, Step, TenantId},
    tokenizer::{SpecialTokens, Tokenizer, TokenizerError, TokenizerJson},
};

/// Most texts of a batch.
pub const MAX_TEXTS: usize = 2048;
/// Texts of a batch that are encoded before the next batch has its turn.
const TEXTS_PER_TURN: usize = 16;

/// An encoder in this process. When dropped it stops at the next turn and closes the channels of unfinished batches.
pub struct EmbeddingEngine {
    card: ModelCard,
    tokenizer: Tokenizer,
    shape: EncoderConfig,
    places: Arc<Semaphore>,
    stopping: Arc<AtomicBool>,
    inbox: Option<mpsc::Sender<Batch>>,
    thread: Option<JoinHandle<()>>,
}

/// Texts on their way. Its place is free again when it is dropped.
struct Batch {
    texts: Vec<Zeroizing<Vec<u32>>>,
    vectors: Vec<Vec<f32>>,
    reply: oneshot::Sender<Embeddings>,
    _place: OwnedSemaphorePermit,
}

impl EmbeddingEngine {
    /// Loads the model folder at `path` and starts the thread that encodes. It is served under the folder's name unless told
    /// otherwise.
    pub fn load(path: &Path, config: LocalConfig) -> Result<Self, LoadError> {
        config.check()?;
        let isa = config.isa()?;
        let folder = ModelFolder::open(path)?;
        let json = folder.file("tokenizer.json");
        let json = json.ok_or(TokenizerError::Json("it is not there"))?;
        let tokenizer = Tokenizer::new(&TokenizerJson::parse(json)?.source())?;
        let encoder = Encoder::load(&folder, config.threads, isa)?;
        let shape = EncoderConfig {
            max_tokens: encoder.config().max_tokens.min(config.max_context),
            ..*encoder.config()
        };
        let card = card::folder_card(path, &folder, &tokenizer, (isa.name(), shape.max_tokens))?;
        let places = Arc::new(Semaphore::new(config.max_sequences + config.queue));
        let stopping = Arc::new(AtomicBool::new(false));
        let (inbox, batches) = mpsc::channel();
        let stop = Arc::clone(&stopping);
        let thread = thread::Builder::new().name("engine".to_owned());
        let thread = thread.spawn(move || run(encoder, &batches, &stop));
        Ok(Self {
            card,
            tokenizer,
            shape,
            places,
            stopping,
            inbox: Some(inbox),
            thread: Some(thread.map_err(|error| LoadError::Thread(error.kind()))?),
        })
    }

    /// Serves the model under `name`: 1 to 128 of `a-z`, `0-9`, `-` and `.`.
    pub fn with_name(mut self, name: &str) -> Result<Self, LoadError> {
        self.card.name = card::chosen_name(name).ok_or(LoadError::Name)?;
        Ok(self)
    }

    fn encode(&self, text: &Prompt) -> Result<Zeroizing<Vec<u32>>, EngineError> {
        let ids = match text {
            Prompt::Text(text) => {
                Zeroizing::new(self.tokenizer.encode_prompt(text, SpecialTokens::Never))
            }
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
        _tenant: TenantId,
    ) -> Result<oneshot::Receiver<Embeddings>, EngineError> {
        match texts.len() {
            0 => return Err(EngineError::BadPrompt),
            1..=MAX_TEXTS => {}
            _ => return Err(EngineError::TooManyTexts { most: MAX_TEXTS }),
        }
        let place = Arc::clone(&self.places).try_acquire_owned();
        let place = place.map_err(|refused| match refused {
            TryAcquireError::NoPermits => EngineError::Busy,
            TryAcquireError::Closed => EngineError::Stopped,
        })?;
        let encoded = texts.iter().map(|text| self.encode(text));
        let (reply, receiver) = oneshot::channel();
        let batch = Batch {
            texts: encoded.collect::<Result<_, _>>()?,
            vectors: Vec::with_capacity(texts.len()),
            reply,
            _place: place,
        };
        let inbox = self.inbox.as_ref().ok_or(EngineError::Stopped)?;
        inbox.send(batch).map_err(|_| EngineError::Stopped)?;
        Ok(receiver)
    }

    fn capacity(&self) -> usize {
        self.places.available_permits()
    }

    fn card(&self) -> &ModelCard {
        &self.card
    }
}

impl Drop for EmbeddingEngine {
    fn drop(&mut self) {
        self.stopping.store(true, Ordering::Relaxed);
        drop(self.inbox.take());
        if let Some(thread) = self.thread.take() {
            // A thread that panicked has closed its channels already.
            let _ = thread.join();
        }
    }
}

/// Encodes until `stop` is set or nobody can submit any more.
fn run(mut encoder: Encoder, inbox: &mpsc::Receiver<Batch>, stop: &AtomicBool) {
    let mut waiting = VecDeque::new();
    while !stop.load(Ordering::Relaxed) {
        if waiting.is_empty() {
            let Ok(batch) = inbox.recv() else { return };
            waiting.push_back(batch);
        }
        waiting.extend(inbox.try_iter());
        if let Some(batch) = waiting.pop_front() {
            waiting.extend(batch.turn(&mut encoder));
        }
    }
}

impl Batch {
    /// Encodes a few texts; gives the batch back while there are more.
    fn turn(mut self, encoder: &mut Encoder) -> Option<Self> {
        if self.reply.is_closed() {
            return None;
        }
        let left = self.texts.iter().skip(self.vectors.len());
        let now: Vec<&[u32]> = left
            .take(TEXTS_PER_TURN)
            .map(|ids| ids.as_slice())
            .collect();
        // Texts were checked when they were taken: what is refused here closes the channel.
        self.vectors.extend(encoder.embed(&now).ok()?);
        if self.vectors.len() < self.texts.len() {
            return Some(self);
        }
        let tokens: usize = self.texts.iter().map(|ids| ids.len()).sum();
        // A receiver that went away does not hear the end.
        let _ = self.reply.send(Embeddings {
            vectors: self.vectors,
            prompt_tokens: u32::try_from(tokens).unwrap_or(u32::MAX),
        });
        None
    }
}
