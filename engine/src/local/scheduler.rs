//! The way in: checks a job, holds its place, hands it to the thread that decodes.

use std::{
    io,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
        mpsc,
    },
    thread::{self, JoinHandle},
};

use tokio::sync::mpsc::{Receiver, Sender, channel};

use super::{
    forward::Forward,
    places::{CloseOnDrop, Place, Places},
    runner::Runner,
};
use crate::{
    choice::{Choice, Choices},
    job::{CacheSecret, EngineError, Job, Step, TenantId},
    text::TextAssembler,
    tokenizer::Tokenizer,
};
use zeroize::Zeroizing;

/// How much runs and how long.
#[derive(Clone, Copy, Debug)]
pub(super) struct Limits {
    pub(super) sequences: usize,
    pub(super) queue: usize,
    pub(super) context_tokens: usize,
    pub(super) vocabulary: usize,
    /// Most jobs of one tenant that run or wait.
    pub(super) tenant_jobs: usize,
    /// Tokens of a step, unless there are more answers.
    pub(super) step_tokens: usize,
    /// Tokens whose pages are kept for each tenant under each cache secret.
    pub(super) cached_tokens_per_secret: usize,
    /// Part of the names of kept pages.
    pub(super) model_digest: [u8; 32],
}

/// A job that was taken. Its place is free again when it is dropped.
pub(super) struct Admitted {
    pub(super) prompt: Zeroizing<Vec<u32>>,
    /// Most tokens to make.
    pub(super) max_tokens: usize,
    pub(super) choice: Choice,
    pub(super) text: TextAssembler,
    pub(super) steps: Sender<Step>,
    pub(super) tenant: TenantId,
    pub(super) cache_secret: Option<CacheSecret>,
    pub(super) place: Place,
}

/// A place for one choice, and its seed.
pub(super) struct Seeded {
    seed: u64,
    place: Place,
}

/// The thread that decodes, and the places before it.
pub(super) struct Scheduler {
    limits: Limits,
    choices: Choices,
    places: Arc<Places>,
    stopping: Arc<AtomicBool>,
    inbox: Option<mpsc::Sender<Admitted>>,
    thread: Option<JoinHandle<()>>,
}

impl Scheduler {
    pub(super) fn start<F: Forward>(
        forward: F,
        tokenizer: Arc<Tokenizer>,
        limits: Limits,
    ) -> io::Result<Self> {
        let places = limits.sequences.saturating_add(limits.queue);
        let places = Arc::new(Places::new(places, limits.tenant_jobs));
        let stopping = Arc::new(AtomicBool::new(false));
        let choices = Choices::new(Arc::clone(&tokenizer), limits.vocabulary);
        let (inbox, jobs) = mpsc::channel();
        let (open, stop) = (Arc::clone(&places), Arc::clone(&stopping));
        let thread = thread::Builder::new()
            .name("engine".to_owned())
            .spawn(move || {
                let closing = CloseOnDrop(open);
                Runner::new(forward, tokenizer, limits, jobs).run(&stop, &closing.0);
            })?;
        Ok(Self {
            limits,
            choices,
            places,
            stopping,
            inbox: Some(inbox),
            thread: Some(thread),
        })
    }

    /// How many more jobs would be taken now.
    pub(super) fn capacity(&self) -> usize {
        self.places.free()
    }

    /// Why no more jobs are taken, if so.
    pub(super) fn failure(&self) -> Option<&'static str> {
        self.places.failure()
    }

    /// Most tokens of a prompt and its answer.
    pub(super) fn context_tokens(&self) -> usize {
        self.limits.context_tokens
    }

    /// A place for a job of `tenant` under each of `seeds`, or for none: taken before anything is rendered, tokenized or compiled, so that whoever
    /// has no place costs nothing.
    pub(super) fn places(
        &self,
        tenant: TenantId,
        seeds: &[u64],
    ) -> Result<Vec<Seeded>, EngineError> {
        let places = seeds.iter().map(|seed| {
            let place = self.places.take(tenant)?;
            Ok(Seeded { seed: *seed, place })
        });
        places.collect()
    }

    /// Lets `job` wait for its turn in each of `places`. The prompt is checked and the grammar compiled once for all of them.
    pub(super) fn submit(
        &self,
        job: &Job,
        prompt: &Zeroizing<Vec<u32>>,
        places: Vec<Seeded>,
    ) -> Result<Vec<Receiver<Step>>, EngineError> {
        let max_tokens = self.limits.check(prompt, job.max_tokens)?;
        let choice = self.choices.choice(job)?;
        let inbox = self.inbox.as_ref().ok_or(EngineError::Stopped)?;
        let admit = |Seeded { seed, place }| {
            let (steps, receiver) = channel(most_steps(max_tokens));
            let admitted = Admitted {
                prompt: prompt.clone(),
                max_tokens,
                choice: choice.with_seed(seed),
                text: TextAssembler::new(&job.stop)?,
                steps,
                tenant: job.tenant,
                cache_secret: job.cache_secret.clone(),
                place,
            };
            inbox.send(admitted).map_err(|_| EngineError::Stopped)?;
            Ok(receiver)
        };
        places.into_iter().map(admit).collect()
    }
}

impl Drop for Scheduler {
    fn drop(&mut self) {
        self.stopping.store(true, Ordering::Relaxed);
        // Wakes the thread if it waits for jobs.
        self.inbox = None;
        if let Some(thread) = self.thread.take() {
            // A panic in the thread has closed all channels already; there is nobody left to tell.
            let _ = thread.join();
        }
    }
}

impl Limits {
    /// Most tokens of the answer, if the prompt is one that can be continued.
    fn check(&self, prompt: &[u32], asked: Option<u32>) -> Result<usize, EngineError> {
        let known = |id: &u32| (*id as usize) < self.vocabulary;
        if prompt.is_empty() || !prompt.iter().all(known) {
            return Err(EngineError::BadPrompt);
        }
        let left = self.context_tokens.saturating_sub(prompt.len());
        let answer = asked.map_or(left, |asked| asked as usize);
        if answer.max(1) <= left {
            Ok(answer)
        } else {
            Err(EngineError::ContextOverflow {
                prompt: prompt.len(),
                answer: answer.max(1),
                context: self.context_tokens,
            })
        }
    }
}

/// All steps a job can take, the first and the last among them: the thread never waits for a slow reader.
const fn most_steps(max_tokens: usize) -> usize {
    max_tokens.saturating_add(2)
}
