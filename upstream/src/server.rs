//! The engine that is another process.

use crate::{UpstreamConfig, UpstreamError, answer::answer, embeddings, health, request::asked};
use engine::{Embeddings, Engine, EngineError, Job, ModelCard, Prompt, Step, TenantId, ToolSyntax};
use std::{
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};
use tokio::{
    runtime::Handle,
    sync::{OwnedSemaphorePermit, Semaphore, mpsc, oneshot},
    task::AbortHandle,
    time::sleep,
};

/// Between two looks at its health.
const WATCH: Duration = Duration::from_secs(5);
/// Steps that may wait for a slow reader; then the server waits too.
const STEPS: usize = 64;

/// Told of each failure: codes only, nothing of a request.
type Observer = Arc<dyn Fn(UpstreamError) + Send + Sync>;

/// An inference server inside the same TEE. While it is not well, nothing is taken.
pub struct Upstream {
    config: Arc<UpstreamConfig>,
    card: ModelCard,
    slots: Arc<Semaphore>,
    well: Arc<AtomicBool>,
    observer: Observer,
    runtime: Handle,
    watch: AbortHandle,
}

impl Upstream {
    /// Waits until the server is ready, at most [`UpstreamConfig::patience`], and checks that it lists the model. `observer` hears of failures.
    pub async fn connect(
        config: UpstreamConfig,
        observer: impl Fn(UpstreamError) + Send + Sync + 'static,
    ) -> Result<Self, UpstreamError> {
        health::ready(&config).await?;
        let (config, observer) = (Arc::new(config), Arc::new(observer) as Observer);
        let well = Arc::new(AtomicBool::new(true));
        let watch = watch(
            Arc::clone(&config),
            Arc::clone(&well),
            Arc::clone(&observer),
        );
        Ok(Self {
            card: card(&config),
            slots: Arc::new(Semaphore::new(config.max_requests)),
            well,
            observer,
            runtime: Handle::current(),
            watch: tokio::spawn(watch).abort_handle(),
            config,
        })
    }

    fn slot(&self) -> Result<OwnedSemaphorePermit, EngineError> {
        if !self.well.load(Ordering::Relaxed) {
            return Err(EngineError::Busy);
        }
        let slot = Arc::clone(&self.slots).try_acquire_owned();
        slot.map_err(|_| EngineError::Busy)
    }
}

impl Drop for Upstream {
    fn drop(&mut self) {
        self.watch.abort();
    }
}

impl Engine for Upstream {
    fn submit(&self, job: Job) -> Result<mpsc::Receiver<Step>, EngineError> {
        let asked = asked(&job, &self.config)?;
        let slot = self.slot()?;
        let (steps, receiver) = mpsc::channel(STEPS);
        let (config, observer) = (Arc::clone(&self.config), Arc::clone(&self.observer));
        self.runtime.spawn(async move {
            let answered = answer(&config, asked, steps).await;
            drop(slot);
            answered.unwrap_or_else(|error| observer(error));
        });
        Ok(receiver)
    }

    fn embed(
        &self,
        texts: Vec<Prompt>,
        _: TenantId,
    ) -> Result<oneshot::Receiver<Embeddings>, EngineError> {
        let body = embeddings::body(&texts, &self.config)?;
        let slot = self.slot()?;
        let (mut told, receiver) = oneshot::channel();
        let (config, observer) = (Arc::clone(&self.config), Arc::clone(&self.observer));
        self.runtime.spawn(async move {
            let vectors = tokio::select! {
                biased;
                () = told.closed() => return,
                vectors = embeddings::embed(&config, body, texts.len()) => vectors,
            };
            drop(slot);
            match vectors {
                Ok(vectors) => drop(told.send(vectors)),
                Err(error) => observer(error),
            }
        });
        Ok(receiver)
    }

    /// As [`crate::tool_calls`] writes them.
    fn tool_syntax(&self) -> Option<ToolSyntax> {
        Some(ToolSyntax::Hermes)
    }

    fn capacity(&self) -> usize {
        match self.well.load(Ordering::Relaxed) {
            true => self.slots.available_permits(),
            false => 0,
        }
    }

    fn card(&self) -> &ModelCard {
        &self.card
    }
}

async fn watch(config: Arc<UpstreamConfig>, well: Arc<AtomicBool>, observer: Observer) {
    loop {
        sleep(WATCH).await;
        let probed = health::probe(&config).await;
        let was_well = well.swap(probed.is_ok(), Ordering::Relaxed);
        if let (true, Err(error)) = (was_well, probed) {
            observer(error);
        }
    }
}

/// Tokenizer and template are the server's own: its software's digest stands for them.
fn card(config: &UpstreamConfig) -> ModelCard {
    ModelCard {
        name: config.name.clone(),
        model_digest: config.model_digest,
        tokenizer_digest: config.software_digest,
        template_digest: config.software_digest,
        kernels_digest: config.software_digest,
        mode: config.kind.mode().into(),
        isa: "-",
        context_tokens: config.context_tokens,
    }
}
