//! Carries the engine's steps to the client, whole or as events, and counts them for the receipt.

use crate::{
    answer::Stop,
    exchange::{Account, Exchange},
    leash::Leash,
    openai::{ApiError, Delivery, Rendering},
    outgoing::Woken,
    telemetry,
};
use engine::{FinishReason, Step};
use tokio::{
    sync::mpsc,
    time::{Instant, timeout_at},
};

const EVENT_STREAM: [(&str, &[u8]); 2] = [
    ("content-type", b"text/event-stream"),
    ("cache-control", b"no-store"),
];

/// The steps of one job, until a deadline or until the exchange may not go on. Dropping it cancels the job.
struct Steps {
    steps: mpsc::Receiver<Step>,
    deadline: Instant,
    leash: Leash,
}

/// What was made and is not told yet. No Debug: it is the answer.
#[derive(Default)]
struct Made {
    text: String,
    end: Option<FinishReason>,
}

/// One answer that is told while it is made.
struct Stream<'a> {
    exchange: &'a mut Exchange,
    steps: Steps,
    rendering: &'a Rendering,
    made: Made,
}

/// Delivers the answer as the client asked for it.
pub(crate) async fn deliver(
    exchange: &mut Exchange,
    steps: mpsc::Receiver<Step>,
    rendering: &Rendering,
) -> Result<(), Stop> {
    let deadline = Instant::now() + exchange.node.limits.answer_timeout;
    let leash = exchange.leash.clone();
    let steps = Steps {
        steps,
        deadline,
        leash,
    };
    let made = Made::default();
    match rendering.delivery {
        Delivery::Whole => whole(exchange, steps, rendering).await,
        Delivery::Events | Delivery::EventsWithUsage => {
            let stream = Stream {
                exchange,
                steps,
                rendering,
                made,
            };
            stream.deliver().await
        }
    }
}

async fn whole(
    exchange: &mut Exchange,
    mut steps: Steps,
    rendering: &Rendering,
) -> Result<(), Stop> {
    let mut made = Made::default();
    let reason = loop {
        if let Woken::Event(step) = exchange.outgoing.wait(steps.next()).await? {
            made.take(step?, &mut exchange.account);
        }
        if let Some(reason) = made.end {
            break reason;
        }
    };
    let document = rendering.whole(&made.text, reason, exchange.account.usage);
    Ok(exchange.document(&document).await?)
}

impl Stream<'_> {
    /// The head says status 200, so what fails from here on is told as an event; the receipt comes all the same.
    async fn deliver(mut self) -> Result<(), Stop> {
        let opening = self.rendering.opening().unwrap_or_default();
        self.exchange.head(200, &EVENT_STREAM).await?;
        self.exchange.outgoing.body(&opening).await?;
        self.exchange.outgoing.flush().await?;
        match self.events().await {
            Err(Stop::Refused(error)) => {
                telemetry::refused(error.code);
                self.exchange.account.failed = true;
                self.tell().await?;
                Ok(self.exchange.outgoing.body(&error.to_event()).await?)
            }
            other => other,
        }
    }

    /// Tells each step as it comes or, where the exchange keeps a beat, at each tick what has come since the last.
    async fn events(&mut self) -> Result<(), Stop> {
        while self.made.end.is_none() {
            let woken = self.exchange.outgoing.wait(self.steps.next()).await?;
            if let Woken::Event(step) = woken {
                self.made.take(step?, &mut self.exchange.account);
                if self.made.end.is_some() || self.exchange.outgoing.keeps_beat() {
                    continue;
                }
            }
            if !self.exchange.outgoing.is_behind() {
                self.tell().await?;
            }
            self.exchange.outgoing.flush().await?;
        }
        self.tell().await
    }

    /// Tells what was made so far, as one event, and the end if it has come.
    async fn tell(&mut self) -> Result<(), Stop> {
        let made = std::mem::take(&mut self.made);
        if !made.text.is_empty() {
            let event = self.rendering.piece(&made.text);
            self.exchange.outgoing.body(&event).await?;
        }
        if let Some(reason) = made.end {
            let ending = self.rendering.ending(reason, self.exchange.account.usage);
            self.exchange.outgoing.body(&ending).await?;
        }
        Ok(())
    }
}

impl Steps {
    /// The next step; an error if the engine broke off, the time is over or the exchange may not go on (R9.9).
    async fn next(&mut self) -> Result<Step, ApiError> {
        let step = tokio::select! {
            biased;
            error = self.leash.pulled() => return Err(error),
            step = timeout_at(self.deadline, self.steps.recv()) => step,
        };
        match step {
            Ok(Some(Step::Refused(error))) => Err(error.into()),
            Ok(Some(step)) => Ok(step),
            Ok(None) => Err(ApiError::engine_failed()),
            Err(_elapsed) => Err(ApiError::timed_out()),
        }
    }
}

impl Made {
    /// Takes one step, counted.
    fn take(&mut self, step: Step, account: &mut Account) {
        match step {
            // Given out as an error by [`Steps::next`].
            Step::Refused(_) => {}
            Step::Begun { prompt_tokens, .. } => account.usage.prompt_tokens = prompt_tokens,
            Step::Token { id, text, .. } => {
                account.tokens.extend(id);
                account.usage.completion_tokens += 1;
                self.text.push_str(&text);
            }
            Step::Done {
                reason,
                text,
                usage,
            } => {
                account.usage.prompt_tokens = usage.prompt_tokens;
                account.usage.completion_tokens = usage.completion_tokens;
                self.text.push_str(&text);
                self.end = Some(reason);
            }
        }
    }
}
