//! The thread that decodes: each step takes a token of every answer and parts of prompts, all through the model together.
//!
//! Pages are taken as answers grow, not reserved for the longest they may become: most answers end long before that. When there
//! are none left, kept prefixes go first; then the youngest sequence gives back its pages and is computed again later, which
//! gives the same bits and so cannot be seen in its answer. The oldest always goes on: nobody is stuck.

use std::{
    mem,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
        mpsc::{Receiver, TryRecvError},
    },
};

use super::{
    forward::Forward,
    places::Places,
    plan::{Demand, share},
    prefix::{PrefixCache, Quota},
    queue::Queue,
    scheduler::{Admitted, Limits},
    sequence::{Outcome, Sequence},
};
use crate::{
    decoder::{PAGE_TOKENS, Pages},
    job::Step,
    sampler::Plain,
    tokenizer::Tokenizer,
};

pub(super) struct Runner<F: Forward> {
    forward: F,
    tokenizer: Arc<Tokenizer>,
    limits: Limits,
    jobs: Receiver<Admitted>,
    waiting: Queue<Sequence>,
    /// Those that gave back their pages, youngest first; they come before all that wait.
    put_back: Vec<Sequence>,
    /// Oldest first.
    running: Vec<Sequence>,
    prefixes: PrefixCache,
    begun: u64,
    steps: u64,
}

impl<F: Forward> Runner<F> {
    pub(super) fn new(
        mut forward: F,
        tokenizer: Arc<Tokenizer>,
        limits: Limits,
        jobs: Receiver<Admitted>,
    ) -> Self {
        let quota = Quota {
            per_secret: limits.cached_tokens_per_secret / PAGE_TOKENS,
            per_tenant: forward.pool().pages().div_ceil(2),
        };
        Self {
            forward,
            tokenizer,
            limits,
            jobs,
            waiting: Queue::new(),
            put_back: Vec::new(),
            running: Vec::new(),
            prefixes: PrefixCache::new(quota),
            begun: 0,
            steps: 0,
        }
    }

    /// Until `stop` is set, nobody can submit any more, or no step succeeds any more: then `places` hear why.
    pub(super) fn run(mut self, stop: &AtomicBool, places: &Places) {
        while self.receive() && !stop.load(Ordering::Relaxed) {
            self.forget_abandoned();
            self.start_waiting();
            self.make_room();
            self.step();
            if let Some(failure) = self.forward.failure() {
                return places.fail(failure);
            }
        }
    }

    /// Takes in new jobs; waits for one if there is nothing else to do. False: nobody can submit any more.
    fn receive(&mut self) -> bool {
        if self.running.is_empty() && self.waiting.is_empty() && self.put_back.is_empty() {
            let Ok(job) = self.jobs.recv() else {
                return false;
            };
            self.enqueue(job);
        }
        loop {
            match self.jobs.try_recv() {
                Ok(job) => self.enqueue(job),
                Err(TryRecvError::Empty) => return true,
                Err(TryRecvError::Disconnected) => return false,
            }
        }
    }

    fn enqueue(&mut self, job: Admitted) {
        let sequence = Sequence::new(job, self.limits.model_digest);
        self.waiting.push(sequence.tenant(), sequence);
    }

    fn forget_abandoned(&mut self) {
        self.waiting.retain(|sequence| !sequence.is_abandoned());
        self.put_back.retain(|sequence| !sequence.is_abandoned());
        let outcome = |sequence: &Sequence| match sequence.is_abandoned() {
            true => Outcome::Abandoned,
            false => Outcome::Running,
        };
        let outcomes = self.running.iter().map(outcome).collect();
        self.settle(outcomes);
    }

    /// Lets those who wait run, as long as there are places and pages for whoever is first.
    fn start_waiting(&mut self) {
        while self.running.len() < self.limits.sequences {
            let first = self.put_back.last_mut();
            let Some(first) = first.or_else(|| self.waiting.next_mut()) else {
                return;
            };
            let spare = self.running.len();
            let pool = self.forward.pool();
            if !seat(first, pool, &mut self.prefixes, spare) {
                return;
            }
            let seated = self.put_back.pop().or_else(|| self.waiting.pop());
            seated.into_iter().for_each(|sequence| self.start(sequence));
        }
    }

    fn start(&mut self, mut sequence: Sequence) {
        if !sequence.has_begun() {
            self.begun += 1;
            sequence.age = self.begun;
        }
        sequence.last_step = self.steps;
        let outcome = sequence.begin();
        match outcome {
            Outcome::Running => {
                let younger = |other: &Sequence| other.age < sequence.age;
                let place = self.running.partition_point(younger);
                self.running.insert(place, sequence);
            }
            Outcome::Finished(done) => self.end(sequence, Some(done)),
            Outcome::Abandoned => self.end(sequence, None),
        }
    }

    /// Sees to it that every sequence has pages for its next token: the youngest go back if there are not enough.
    fn make_room(&mut self) {
        let mut index = 0;
        while let Some(sequence) = self.running.get_mut(index) {
            let pool = self.forward.pool();
            let pending = sequence.pending();
            if pool.reserve(&mut sequence.table, pending).is_ok() {
                index += 1;
            } else if !self.prefixes.evict(pool) {
                self.put_back_youngest();
            }
        }
    }

    fn put_back_youngest(&mut self) {
        if let Some(mut youngest) = self.running.pop() {
            youngest.put_back(self.forward.pool());
            let older = |other: &Sequence| other.age > youngest.age;
            let place = self.put_back.partition_point(older);
            self.put_back.insert(place, youngest);
        }
    }

    /// One pass through the model for all that have a part in it.
    fn step(&mut self) {
        self.steps += 1;
        let demands: Vec<_> = self.running.iter().map(demand).collect();
        let shares = share(&demands, self.limits.step_tokens);
        let choices = choices(&self.running, &shares);
        let with_shares = self.running.iter_mut().zip(&shares);
        let taking = with_shares.filter(|(_, share)| **share > 0);
        let mut parts: Vec<_> = taking
            .map(|(sequence, share)| sequence.part(*share))
            .collect();
        if parts.is_empty() {
            return;
        }
        let rows = self.forward.choose(&mut parts, &choices);
        let mut rows = rows.map(Vec::into_iter);
        let (step, tokenizer) = (self.steps, &self.tokenizer);
        let outcome = |(sequence, share): (&mut Sequence, usize)| {
            if share == 0 {
                return Outcome::Running;
            }
            sequence.last_step = step;
            let Ok(rows) = &mut rows else {
                return Outcome::Abandoned;
            };
            match (sequence.pending() == 0).then(|| rows.next()) {
                None => Outcome::Running,
                Some(Some(row)) => sequence.advance(row, tokenizer),
                Some(None) => Outcome::Abandoned,
            }
        };
        let outcomes: Vec<_> = self.running.iter_mut().zip(shares).map(outcome).collect();
        self.keep_prefixes(&outcomes);
        self.settle(outcomes);
    }

    fn keep_prefixes(&mut self, outcomes: &[Outcome]) {
        for (sequence, outcome) in self.running.iter_mut().zip(outcomes) {
            if !matches!(outcome, Outcome::Abandoned) {
                sequence.keep_prefix(&mut self.prefixes, self.forward.pool());
            }
        }
    }

    /// Takes out the sequences that ended.
    fn settle(&mut self, outcomes: Vec<Outcome>) {
        if outcomes
            .iter()
            .all(|outcome| matches!(outcome, Outcome::Running))
        {
            return;
        }
        let running = mem::take(&mut self.running);
        for (sequence, outcome) in running.into_iter().zip(outcomes) {
            match outcome {
                Outcome::Running => self.running.push(sequence),
                Outcome::Finished(done) => self.end(sequence, Some(done)),
                Outcome::Abandoned => self.end(sequence, None),
            }
        }
    }

    /// Gives back the sequence's pages, which wipes those that nobody else holds, and frees its place before anybody hears of
    /// the end.
    fn end(&mut self, sequence: Sequence, last: Option<Step>) {
        let (table, steps, place) = sequence.into_parts();
        self.forward.pool().release(table);
        drop(place);
        if let Some(step) = last {
            // A receiver that went away does not hear the end.
            let _ = steps.try_send(step);
        }
    }
}

/// Gives a sequence pages for all its tokens, if that leaves each of `spare` others one; kept prefixes make way.
fn seat(
    sequence: &mut Sequence,
    pool: &mut Pages,
    prefixes: &mut PrefixCache,
    spare: usize,
) -> bool {
    sequence.find_prefix(prefixes, pool);
    let pages = sequence.table.len() / PAGE_TOKENS + sequence.pending().div_ceil(PAGE_TOKENS);
    let wanted = pages - sequence.table.pages().len() + spare;
    let there = pool.free_pages() + prefixes.evictable(pool) >= wanted;
    while there && pool.free_pages() < wanted && prefixes.evict(pool) {}
    let pending = sequence.pending();
    let seated = there && pool.reserve(&mut sequence.table, pending).is_ok();
    if !seated {
        sequence.put_back(pool);
    }
    seated
}

/// The choices that follow a step: one for each sequence whose last token is in it.
fn choices(running: &[Sequence], shares: &[usize]) -> Vec<Option<Plain>> {
    let taking = running.iter().zip(shares);
    let complete = taking.filter(|(sequence, share)| sequence.pending() == **share);
    complete.map(|(sequence, _)| sequence.plain()).collect()
}

fn demand(sequence: &Sequence) -> Demand {
    Demand {
        tenant: sequence.tenant(),
        pending: sequence.pending(),
        last_step: sequence.last_step,
    }
}
