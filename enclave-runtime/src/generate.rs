//! Carries the engine's steps to the client, whole or as events, and counts them for the receipt.

use crate::{
    answer::Stop,
    exchange::Exchange,
    openai::{ApiError, Delivery, Rendering},
    telemetry,
};
use engine::{FinishReason, Step};
use tokio::{
    sync::mpsc,
    time::{Instant, timeout_at},
};

/// The steps of one job, until a deadline. Dropping it cancels the job.
struct Steps {
    steps: mpsc::Receiver<Step>,
    deadline: Instant,
}

/// What one step adds.
struct Piece {
    text: String,
    end: Option<FinishReason>,
}

/// Delivers the answer as the client asked for it.
pub(crate) async fn deliver(
    exchange: &mut Exchange,
    steps: mpsc::Receiver<Step>,
    rendering: &Rendering,
) -> Result<(), Stop> {
    let deadline = Instant::now() + exchange.node.limits.answer_timeout;
    let steps = Steps { steps, deadline };
    match rendering.delivery {
        Delivery::Whole => whole(exchange, steps, rendering).await,
        Delivery::Events | Delivery::EventsWithUsage => stream(exchange, steps, rendering).await,
    }
}

async fn whole(
    exchange: &mut Exchange,
    mut steps: Steps,
    rendering: &Rendering,
) -> Result<(), Stop> {
    let mut text = String::new();
    let reason = loop {
        let piece = steps.next(exchange).await?;
        text.push_str(&piece.text);
        if let Some(reason) = piece.end {
            break reason;
        }
    };
    let document = rendering.whole(&text, reason, exchange.account.usage);
    Ok(exchange.document(&document).await?)
}

/// The head has gone out with status 200, so what fails from here on is told as an event; the receipt comes all the same.
async fn stream(exchange: &mut Exchange, steps: Steps, rendering: &Rendering) -> Result<(), Stop> {
    let headers: [(&str, &[u8]); 2] = [
        ("content-type", b"text/event-stream"),
        ("cache-control", b"no-store"),
    ];
    exchange.head(200, &headers).await?;
    match events(exchange, steps, rendering).await {
        Err(Stop::Refused(error)) => {
            telemetry::refused(error.code);
            Ok(exchange.body(&error.to_event()).await?)
        }
        other => other,
    }
}

async fn events(
    exchange: &mut Exchange,
    mut steps: Steps,
    rendering: &Rendering,
) -> Result<(), Stop> {
    exchange
        .body(&rendering.opening().unwrap_or_default())
        .await?;
    loop {
        let piece = steps.next(exchange).await?;
        if !piece.text.is_empty() {
            exchange.body(&rendering.piece(&piece.text)).await?;
        }
        if let Some(reason) = piece.end {
            let ending = rendering.ending(reason, exchange.account.usage);
            return Ok(exchange.body(&ending).await?);
        }
    }
}

impl Steps {
    /// The next step, counted; an error if the engine broke off, the time is over or the client has gone.
    async fn next(&mut self, exchange: &mut Exchange) -> Result<Piece, Stop> {
        let step = tokio::select! {
            () = exchange.abandoned() => return Err(Stop::Gone),
            step = timeout_at(self.deadline, self.steps.recv()) => step,
        };
        match step {
            Ok(Some(Step::Token { id, text })) => {
                exchange.account.tokens.push(id);
                exchange.account.usage.completion_tokens += 1;
                Ok(Piece { text, end: None })
            }
            Ok(Some(Step::Done { reason, text })) => Ok(Piece {
                text,
                end: Some(reason),
            }),
            Ok(None) => Err(ApiError::engine_failed().into()),
            Err(_elapsed) => Err(ApiError::timed_out().into()),
        }
    }
}
