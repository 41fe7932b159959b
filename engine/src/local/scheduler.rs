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

use tokio::sync::{
    OwnedSemaphorePermit, Semaphore, TryAcquireError,
    mpsc::{Receiver, Sender, channel},
};

use super::{forward::Forward, runner::Runner};
use crate::{
    job::{EngineError, Job, Step},
    sampler::Sampler,
    text::TextAssembler,
    tokenizer::Tokenizer,
};

/// How much runs and how long.
#[derive(Clone, Copy)]
pub(super) struct Limits {
    pub(super) sequences: usize,
    pub(super) queue: usize,
    pub(super) context_tokens: usize,
    pub(super) vocabulary: usize,
}

/// A job that was taken. Its place is free again when it is dropped.
pub(super) struct Admitted {
    pub(super) job: Job,
    pub(super) sampler: Sampler,
    pub(super) text: TextAssembler,
    pub(super) steps: Sender<Step>,
    pub(super) place: OwnedSemaphorePermit,
}

/// The thread that decodes, and the places before it.
pub(super) struct Scheduler {
    limits: Limits,
    places: Arc<Semaphore>,
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
        let places = Arc::new(Semaphore::new(
            limits.sequences.saturating_add(limits.queue),
        ));
        let stopping = Arc::new(AtomicBool::new(false));
        let (inbox, jobs) = mpsc::channel();
        let (open, stop) = (Arc::clone(&places), Arc::clone(&stopping));
        let thread = thread::Builder::new()
            .name("engine".to_owned())
            .spawn(move || {
                let _closing = CloseOnDrop(open);
                Runner::new(forward, tokenizer, limits, jobs).run(&stop);
            })?;
        Ok(Self {
            limits,
            places,
            stopping,
            inbox: Some(inbox),
            thread: Some(thread),
        })
    }

    /// How many more jobs would be taken now.
    pub(super) fn capacity(&self) -> usize {
        match self.places.is_closed() {
            true => 0,
            false => self.places.available_permits(),
        }
    }

    pub(super) fn submit(&self, job: Job) -> Result<Receiver<Step>, EngineError> {
        self.limits.check(&job)?;
        let sampler = Sampler::new(job.sampling)?;
        let text = TextAssembler::new(&job.stop)?;
        let place = Arc::clone(&self.places).try_acquire_owned();
        let place = place.map_err(|refused| match refused {
            TryAcquireError::NoPermits => EngineError::Busy,
            TryAcquireError::Closed => EngineError::Stopped,
        })?;
        let (steps, receiver) = channel(self.limits.most_steps(&job));
        let admitted = Admitted {
            job,
            sampler,
            text,
            steps,
            place,
        };
        let inbox = self.inbox.as_ref().ok_or(EngineError::Stopped)?;
        inbox.send(admitted).map_err(|_| EngineError::Stopped)?;
        Ok(receiver)
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
    fn check(&self, job: &Job) -> Result<(), EngineError> {
        let known = |id: &u32| (*id as usize) < self.vocabulary;
        if job.prompt.is_empty() || !job.prompt.iter().all(known) {
            return Err(EngineError::BadPrompt);
        }
        if job.prompt.len() >= self.context_tokens {
            return Err(EngineError::ContextOverflow {
                prompt: job.prompt.len(),
                context: self.context_tokens,
            });
        }
        Ok(())
    }

    /// All steps a job can take: the thread never waits for a slow reader.
    fn most_steps(&self, job: &Job) -> usize {
        let room = self.context_tokens.saturating_sub(job.prompt.len());
        room.min(job.max_tokens as usize).saturating_add(1)
    }
}

/// Says that the engine has stopped, also when its thread panics.
struct CloseOnDrop(Arc<Semaphore>);

impl Drop for CloseOnDrop {
    fn drop(&mut self) {
        self.0.close();
    }
}
