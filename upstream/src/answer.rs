//! The server's stream, turned into steps while it comes.

use crate::{
    UpstreamConfig, UpstreamError,
    chunk::Chunk,
    connection::{self, Answer},
    events::Events,
    request::Asked,
    tool_calls::ToolCalls,
};
use bytes::Bytes;
use engine::{EngineError, FinishReason, Step, Usage};
use std::time::Duration;
use tokio::{sync::mpsc::Sender, time::timeout};
use zeroize::Zeroizing;

/// Most bytes of one answer.
const MAX_ANSWER_BYTES: usize = 256 << 20;
/// Ends the stream.
const DONE: &[u8] = b"[DONE]";

/// One answer under way.
struct Told {
    steps: Sender<Step>,
    calls: ToolCalls,
    reason: Option<FinishReason>,
    usage: Option<Usage>,
}

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
    let told = Told {
        steps,
        calls: ToolCalls::default(),
        reason: None,
        usage: None,
    };
    told.stream(answer, patience).await
}

/// What the client asked cannot be done, in the server's opinion: that is an answer, not a failure of the server.
async fn refused(error: UpstreamError, steps: &Sender<Step>) -> UpstreamError {
    if let UpstreamError::Status(400 | 413 | 422) = error {
        let _ = steps.send(Step::Refused(EngineError::Refused)).await;
    }
    error
}

impl Told {
    async fn stream(mut self, mut answer: Answer, patience: Duration) -> Result<(), Ended> {
        let (mut events, mut left) = (Events::default(), MAX_ANSWER_BYTES);
        loop {
            let part = timeout(patience, answer.part()).await;
            let part = part.map_err(|_| UpstreamError::TimedOut)??;
            let part = part.ok_or(UpstreamError::Truncated)?;
            left = left
                .checked_sub(part.len())
                .ok_or(UpstreamError::TooLarge)?;
            for data in events.push(&part)? {
                if data.as_slice() == DONE {
                    return self.done().await;
                }
                self.event(&data).await?;
            }
        }
    }

    async fn event(&mut self, data: &Zeroizing<Vec<u8>>) -> Result<(), Ended> {
        let chunk = Chunk::parse(data)?;
        if self.reason.is_some() && !(chunk.text.is_empty() && chunk.calls.is_empty()) {
            return Err(UpstreamError::Malformed.into());
        }
        self.reason = self.reason.or(chunk.reason);
        self.usage = chunk.usage.or(self.usage);
        for delta in chunk.calls {
            self.calls.push(delta)?;
        }
        let (mut text, mut logprobs) = (chunk.text, chunk.logprobs.into_iter().peekable());
        while !text.is_empty() || logprobs.peek().is_some() {
            let step = Step::Token {
                id: None,
                text: std::mem::take(&mut text),
                logprobs: logprobs.next(),
            };
            self.tell(step).await?;
        }
        Ok(())
    }

    /// The end is one only with a reason and the counts, which are demanded in every request.
    async fn done(mut self) -> Result<(), Ended> {
        let reason = self.reason.ok_or(UpstreamError::Truncated)?;
        let usage = self.usage.ok_or(UpstreamError::Malformed)?;
        let text = self.calls.finish()?;
        let done = Step::Done {
            reason,
            text,
            usage,
        };
        Ok(self.tell(done).await?)
    }

    async fn tell(&self, step: Step) -> Result<(), Gone> {
        self.steps.send(step).await.map_err(|_| Gone)
    }
}
