//! The steps of all jobs of one answer, as they come.

use crate::{account::Counted, leash::Leash};
use engine::Step;
use openai::{ApiError, CallReader, Finish, Input, Made, Running};
use std::{
    future::poll_fn,
    task::{Context, Poll},
};
use tokio::{
    sync::mpsc::Receiver,
    time::{Instant, timeout_at},
};

/// The steps of the jobs of one answer, until a deadline or until the exchange may not go on. Dropping it cancels the jobs.
pub(crate) struct Steps {
    jobs: Vec<Job>,
    /// Whose turn it is to be looked at first.
    turn: usize,
    deadline: Instant,
    leash: Leash,
}

/// One job, and what it made that is not told yet. No Debug: it is the answer.
struct Job {
    steps: Receiver<Step>,
    reader: CallReader,
    input: Input,
    made: Made,
    has_ended: bool,
}

impl Steps {
    pub(crate) fn new(jobs: Vec<Running>, deadline: Instant, leash: Leash) -> Self {
        let jobs = jobs.into_iter().map(|running| Job {
            steps: running.steps,
            reader: running.reader,
            input: running.input,
            made: Made::default(),
            has_ended: false,
        });
        Self {
            jobs: jobs.collect(),
            turn: 0,
            deadline,
            leash,
        }
    }

    /// Whether every job has come to its end.
    pub(crate) fn have_ended(&self) -> bool {
        self.jobs.iter().all(|job| job.has_ended)
    }

    /// The next step and whose it is; an error if the engine broke off, the time is over or the exchange may not go on (R9.9).
    pub(crate) async fn next(&mut self) -> Result<(usize, Step), ApiError> {
        let (jobs, turn) = (&mut self.jobs, self.turn);
        let step = poll_fn(|context| poll_jobs(jobs, turn, context));
        let step = tokio::select! {
            biased;
            error = self.leash.pulled() => return Err(error),
            step = timeout_at(self.deadline, step) => step,
        };
        let Ok((index, step)) = step else {
            return Err(ApiError::timed_out());
        };
        self.turn = index.saturating_add(1);
        match (step, self.jobs.get(index)) {
            (Some(Step::Refused(error)), Some(job)) => Err(job.input.refused(error)),
            (Some(step), _) => Ok((index, step)),
            (None, _) => Err(ApiError::engine_failed()),
        }
    }

    /// Takes a step of job `index`, counted.
    pub(crate) fn take(&mut self, (index, step): (usize, Step), choices: &mut [Counted]) {
        if let (Some(job), Some(counted)) = (self.jobs.get_mut(index), choices.get_mut(index)) {
            job.take(step, counted);
        }
    }

    /// What each job made since this was asked last, of those that made anything.
    pub(crate) fn made(&mut self) -> Vec<(usize, Made)> {
        let made = self
            .jobs
            .iter_mut()
            .map(|job| std::mem::take(&mut job.made));
        let made = made.enumerate().filter(|(_, made)| !made.is_empty());
        made.collect()
    }
}

/// The next step of any job that has not ended, the one whose turn it is first; none: its channel has closed.
fn poll_jobs(
    jobs: &mut [Job],
    turn: usize,
    context: &mut Context<'_>,
) -> Poll<(usize, Option<Step>)> {
    let count = jobs.len();
    for offset in 0..count {
        let index = turn.wrapping_add(offset) % count;
        if let Some(job) = jobs.get_mut(index).filter(|job| !job.has_ended)
            && let Poll::Ready(step) = job.steps.poll_recv(context)
        {
            return Poll::Ready((index, step));
        }
    }
    Poll::Pending
}

impl Job {
    fn take(&mut self, step: Step, counted: &mut Counted) {
        match step {
            // Given out as an error by [`Steps::next`].
            Step::Refused(_) => {}
            Step::Begun {
                prompt_tokens,
                cached_tokens,
            } => {
                counted.usage.prompt_tokens = prompt_tokens;
                counted.usage.cached_tokens = cached_tokens;
            }
            Step::Token { id, text, logprobs } => {
                counted.tokens.extend(id);
                counted.usage.completion_tokens = counted.usage.completion_tokens.saturating_add(1);
                self.reader.read(&text, &mut self.made);
                self.made.logprobs.extend(logprobs);
            }
            Step::Done {
                reason,
                text,
                usage,
            } => {
                counted.usage = usage;
                self.reader.read(&text, &mut self.made);
                self.reader.finish(&mut self.made);
                self.made.end = Some(Finish::of(reason, self.reader.calls()));
                self.has_ended = true;
            }
        }
    }
}
