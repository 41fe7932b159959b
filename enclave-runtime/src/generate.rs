//! Carries the engine's steps to the client, whole or as events, and counts them for the receipt.

use crate::{answer::Stop, exchange::Exchange, outgoing::Woken, steps::Steps, telemetry};
use openai::{Delivery, Generation, Made, Rendering};
use tokio::time::Instant;

const EVENT_STREAM: [(&str, &[u8]); 2] = [
    ("content-type", b"text/event-stream"),
    ("cache-control", b"no-store"),
];

/// One answer that is told while it is made.
struct Stream<'a> {
    exchange: &'a mut Exchange,
    steps: Steps,
    rendering: Box<dyn Rendering>,
}

/// Delivers the answer as the client asked for it.
pub(crate) async fn deliver(exchange: &mut Exchange, generation: Generation) -> Result<(), Stop> {
    let deadline = Instant::now() + exchange.node.limits.answer_timeout;
    let steps = Steps::new(generation.jobs, deadline, exchange.leash.clone());
    let rendering = generation.rendering;
    match generation.delivery {
        Delivery::Whole => whole(exchange, steps, rendering).await,
        Delivery::Events => {
            let stream = Stream {
                exchange,
                steps,
                rendering,
            };
            stream.deliver().await
        }
    }
}

async fn whole(
    exchange: &mut Exchange,
    mut steps: Steps,
    mut rendering: Box<dyn Rendering>,
) -> Result<(), Stop> {
    while !steps.have_ended() {
        if let Woken::Event(step) = exchange.outgoing.wait(steps.next()).await? {
            steps.take(step?, &mut exchange.account.choices);
        }
    }
    // Each has ended, and so has made something.
    let choices: Vec<Made> = steps.made().into_iter().map(|(_, made)| made).collect();
    let document = rendering.whole(choices, exchange.account.usage());
    Ok(exchange.document(&document).await?)
}

impl Stream<'_> {
    /// The head says status 200, so what fails from here on is told as an event; the receipt comes all the same.
    async fn deliver(mut self) -> Result<(), Stop> {
        let opening = self.rendering.opening();
        self.exchange.head(200, &EVENT_STREAM).await?;
        self.exchange.outgoing.body(&opening).await?;
        self.exchange.outgoing.flush().await?;
        match self.events().await {
            Err(Stop::Refused(error)) => {
                telemetry::refused(error.code);
                self.exchange.account.failed = true;
                self.tell().await?;
                let failure = self.rendering.failure(&error);
                Ok(self.exchange.outgoing.body(&failure).await?)
            }
            other => other,
        }
    }

    /// Tells each step as it comes or, where the exchange keeps a beat, at each tick what has come since the last.
    async fn events(&mut self) -> Result<(), Stop> {
        while !self.steps.have_ended() {
            let woken = self.exchange.outgoing.wait(self.steps.next()).await?;
            if let Woken::Event(step) = woken {
                self.steps.take(step?, &mut self.exchange.account.choices);
                if self.steps.have_ended() || self.exchange.outgoing.keeps_beat() {
                    continue;
                }
            }
            if !self.exchange.outgoing.is_behind() {
                self.tell().await?;
            }
            self.exchange.outgoing.flush().await?;
        }
        self.tell().await?;
        let ending = self.rendering.ending(self.exchange.account.usage());
        Ok(self.exchange.outgoing.body(&ending).await?)
    }

    /// Tells what each choice made since it was told last.
    async fn tell(&mut self) -> Result<(), Stop> {
        for (index, made) in self.steps.made() {
            let events = self.rendering.tell(index, made);
            self.exchange.outgoing.body(&events).await?;
        }
        Ok(())
    }
}
