//! The server's stream, turned into steps while it comes.

use crate::{
    Reading, UpstreamConfig, UpstreamError,
    connection::{self, Answer},
    request::Asked,
};
use bytes::Bytes;
use engine::{EngineError, Step};
use std::time::Duration;
use tokio::{sync::mpsc::Sender, time::timeout};

/// Nobody listens any more.
struct Gone;

/// Why an answer ended early.
enum Ended {
    Gone,
    Failed(UpstreamError),
}

impl From<Gone> for Ended {
    fn from(Gone: Gone) -> Self {
        Self::Gone
    }
}

impl From<UpstreamError> for Ended {
    fn from(error: UpstreamError) -> Self {
        Self::Failed(error)
    }
}

/// Asks, and tells the steps until the end. Whoever drops the receiver has the connection closed, at whatever point it is.
pub(crate) async fn answer(
    config: &UpstreamConfig,
    asked: Asked,
    steps: Sender<Step>,
) -> Result<(), UpstreamError> {
    let listening = steps.clone();
    let ended = tokio::select! {
        biased;
        () = listening.closed() => Err(Ended::Gone),
        ended = told(config, asked, steps) => ended,
    };
    match ended {
        Ok(()) | Err(Ended::Gone) => Ok(()),
        Err(Ended::Failed(error)) => Err(error),
    }
}

async fn told(config: &UpstreamConfig, asked: Asked, steps: Sender<Step>) -> Result<(), Ended> {
    let patience = config.patience;
    let body = Bytes::from_owner(asked.body);
    let request = connection::request(asked.path, body);
    let answer = timeout(patience, connection::ask(&config.address, request)).await;
    let answer = answer.map_err(|_| UpstreamError::TimedOut)??;
    if let Err(error) = answer.check("text/event-stream") {
        return Err(refused(error, &steps).await.into());
    }
    stream(answer, &steps, patience).await
}

/// What the client asked cannot be done, in the server's opinion: that is an answer, not a failure of the server.
async fn refused(error: UpstreamError, steps: &Sender<Step>) -> UpstreamError {
    if let UpstreamError::Status(400 | 413 | 422) = error {
        let _ = steps.send(Step::Refused(EngineError::Refused)).await;
    }
    error
}

/// Tells each step as it comes.
async fn stream(mut answer: Answer, steps: &Sender<Step>, patience: Duration) -> Result<(), Ended> {
    let mut reading = Reading::default();
    while !reading.has_ended() {
        let part = timeout(patience, answer.part()).await;
        let part = part.map_err(|_| UpstreamError::TimedOut)??;
        let part = part.ok_or(UpstreamError::Truncated)?;
        let mut read = Vec::new();
        let pushed = reading.push(&part, &mut read);
        for step in read {
            steps.send(step).await.map_err(|_| Gone)?;
        }
        pushed?;
    }
    Ok(())
}
