//! The thread that decodes: every running sequence in turn, one token or one part of a prompt at a time.

use std::{
    collections::VecDeque,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
        mpsc::{Receiver, TryRecvError},
    },
};

use super::{
    forward::Forward,
    scheduler::{Admitted, Limits},
    sequence::{Outcome, Sequence},
};
use crate::{job::Step, tokenizer::Tokenizer};

pub(super) struct Runner<F: Forward> {
    forward: F,
    tokenizer: Arc<Tokenizer>,
    limits: Limits,
    jobs: Receiver<Admitted>,
    waiting: VecDeque<Admitted>,
    running: VecDeque<Sequence<F>>,
    /// Caches of sequences that do not run, all wiped.
    free: Vec<F::Cache>,
}

impl<F: Forward> Runner<F> {
    pub(super) fn new(
        forward: F,
        tokenizer: Arc<Tokenizer>,
        limits: Limits,
        jobs: Receiver<Admitted>,
    ) -> Self {
        let free = (0..limits.sequences).map(|_| forward.cache()).collect();
        Self {
            forward,
            tokenizer,
            limits,
            jobs,
            waiting: VecDeque::new(),
            running: VecDeque::new(),
            free,
        }
    }

    /// Until `stop` is set or nobody can submit any more.
    pub(super) fn run(mut self, stop: &AtomicBool) {
        while self.receive() && !stop.load(Ordering::Relaxed) {
            self.start_waiting();
            self.turn();
        }
    }

    /// Takes in new jobs; waits for one if there is nothing else to do. False: nobody can submit any more.
    fn receive(&mut self) -> bool {
        if self.running.is_empty() && self.waiting.is_empty() {
            let Ok(job) = self.jobs.recv() else {
                return false;
            };
            self.waiting.push_back(job);
        }
        loop {
            match self.jobs.try_recv() {
                Ok(job) => self.waiting.push_back(job),
                Err(TryRecvError::Empty) => return true,
                Err(TryRecvError::Disconnected) => return false,
            }
        }
    }

    fn start_waiting(&mut self) {
        self.waiting.retain(|job| !job.steps.is_closed());
        while !self.waiting.is_empty()
            && let Some(cache) = self.free.pop()
        {
            let Some(job) = self.waiting.pop_front() else {
                return self.free.push(cache);
            };
            let sequence = Sequence::new(job, cache, self.limits.context_tokens);
            self.running.push_back(sequence);
        }
    }

    /// Gives every running sequence one step.
    fn turn(&mut self) {
        for _ in 0..self.running.len() {
            let Some(mut sequence) = self.running.pop_front() else {
                return;
            };
            match sequence.advance(&mut self.forward, &self.tokenizer) {
                Outcome::Running => self.running.push_back(sequence),
                Outcome::Finished(done) => self.end(sequence, Some(done)),
                Outcome::Abandoned => self.end(sequence, None),
            }
        }
    }

    /// Wipes the sequence and frees its place before anybody hears of the end.
    fn end(&mut self, sequence: Sequence<F>, last: Option<Step>) {
        let (mut cache, steps, place) = sequence.into_parts();
        F::wipe(&mut cache);
        self.free.push(cache);
        drop(place);
        if let Some(step) = last {
            // A receiver that went away does not hear the end.
            let _ = steps.try_send(step);
        }
    }
}
