//! The two streams of a relayed exchange: passed through frame by frame, never gathered, each under a size cap and a time limit.

use crate::{cut::Cut, metrics::Metrics, problem::Problem, slots::Slot};
use bytes::Bytes;
use hyper::body::{Body, Frame, Incoming, SizeHint};
use listener::BoxError;
use std::{
    pin::Pin,
    sync::{Arc, OnceLock},
    task::{Context, Poll, ready},
    time::Duration,
};
use tokio::time::{Instant, Sleep, sleep};

/// Why a stream was broken off; tells hyper to abort it instead of ending it cleanly.
#[derive(Clone, Copy, Debug, thiserror::Error)]
pub(crate) enum Broken {
    #[error("the body is over its size cap")]
    TooLarge,
    #[error("the body did not arrive in time")]
    TimedOut,
    #[error("the body broke off")]
    Truncated,
    #[error("the node may not be used any more")]
    Refused,
}

impl From<Broken> for Problem {
    fn from(broken: Broken) -> Self {
        match broken {
            Broken::TooLarge => Self::TooLarge,
            Broken::TimedOut => Self::BodyTimedOut,
            Broken::Truncated => Self::BodyTruncated,
            Broken::Refused => Self::NodeNotAdmitted,
        }
    }
}

/// Where a [`RequestBody`] leaves the reason for its end, for whoever waits for the answer.
pub(crate) type Fate = Arc<OnceLock<Broken>>;

/// `body` under a byte cap and a timer. Trailers are dropped: nothing but bytes crosses.
struct Bounded {
    body: Incoming,
    left_bytes: u64,
    timer: Pin<Box<Sleep>>,
}

impl Bounded {
    fn new(body: Incoming, max_bytes: u64, timeout: Duration) -> Self {
        Self {
            body,
            left_bytes: max_bytes,
            timer: Box::pin(sleep(timeout)),
        }
    }

    fn poll_data(&mut self, cx: &mut Context<'_>) -> Poll<Option<Result<Bytes, Broken>>> {
        if let Poll::Ready(frame) = Pin::new(&mut self.body).poll_frame(cx) {
            return Poll::Ready(self.accept(frame));
        }
        ready!(self.timer.as_mut().poll(cx));
        Poll::Ready(Some(Err(Broken::TimedOut)))
    }

    fn accept(
        &mut self,
        frame: Option<Result<Frame<Bytes>, hyper::Error>>,
    ) -> Option<Result<Bytes, Broken>> {
        let data = match frame? {
            Ok(frame) => frame.into_data().ok()?,
            Err(_) => return Some(Err(Broken::Truncated)),
        };
        match self.left_bytes.checked_sub(data.len() as u64) {
            Some(left_bytes) => {
                self.left_bytes = left_bytes;
                Some(Ok(data))
            }
            None => Some(Err(Broken::TooLarge)),
        }
    }
}

/// A client's envelope on its way to the node; the timer bounds the whole of it.
pub(crate) struct RequestBody {
    bounded: Bounded,
    fate: Fate,
    metrics: Arc<Metrics>,
}

impl RequestBody {
    pub(crate) fn new(
        body: Incoming,
        max_bytes: u64,
        timeout: Duration,
        metrics: Arc<Metrics>,
    ) -> (Self, Fate) {
        let fate = Fate::default();
        let body = Self {
            bounded: Bounded::new(body, max_bytes, timeout),
            fate: Arc::clone(&fate),
            metrics,
        };
        (body, fate)
    }
}

impl Body for RequestBody {
    type Data = Bytes;
    type Error = BoxError;

    // R8.4
    fn poll_frame(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, BoxError>>> {
        Poll::Ready(match ready!(self.bounded.poll_data(cx)) {
            None => None,
            Some(Ok(data)) => {
                self.metrics.relayed_to_node(data.len());
                Some(Ok(Frame::data(data)))
            }
            Some(Err(broken)) => {
                let _ = self.fate.set(broken);
                Some(Err(broken.into()))
            }
        })
    }

    fn is_end_stream(&self) -> bool {
        self.bounded.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.bounded.body.size_hint()
    }
}

/// What an exchange has for as long as its answer goes on.
pub(crate) struct Held {
    pub(crate) slot: Slot,
    pub(crate) cut: Cut,
    pub(crate) metrics: Arc<Metrics>,
}

/// A node's answer on its way to the client. Holds the exchange's slot; the timer bounds the pause between two parts, and the cut comes
/// before any part.
pub(crate) struct AnswerBody {
    bounded: Bounded,
    stall_timeout: Duration,
    end: &'static str,
    metrics: Arc<Metrics>,
    cut: Cut,
    _slot: Slot,
}

impl AnswerBody {
    pub(crate) fn new(body: Incoming, max_bytes: u64, stall_timeout: Duration, held: Held) -> Self {
        Self {
            end: if body.is_end_stream() {
                COMPLETE
            } else {
                CANCELLED
            },
            bounded: Bounded::new(body, max_bytes, stall_timeout),
            stall_timeout,
            metrics: held.metrics,
            cut: held.cut,
            _slot: held.slot,
        }
    }

    // R8.6
    fn poll_data(&mut self, cx: &mut Context<'_>) -> Poll<Option<Result<Bytes, Broken>>> {
        match Pin::new(&mut self.cut).poll(cx) {
            Poll::Ready(()) => Poll::Ready(Some(Err(Broken::Refused))),
            Poll::Pending => self.bounded.poll_data(cx),
        }
    }
}

/// How relayed answers end, as the metric says it.
const COMPLETE: &str = "complete";
const CANCELLED: &str = "cancelled";
const TRUNCATED: &str = "truncated";
const REFUSED: &str = "refused";

impl Body for AnswerBody {
    type Data = Bytes;
    type Error = BoxError;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, BoxError>>> {
        Poll::Ready(match ready!(self.poll_data(cx)) {
            None => {
                self.end = COMPLETE;
                None
            }
            Some(Ok(data)) => {
                let next_part_by = Instant::now() + self.stall_timeout;
                self.bounded.timer.as_mut().reset(next_part_by);
                self.metrics.relayed_to_client(data.len());
                if self.bounded.body.is_end_stream() {
                    self.end = COMPLETE;
                }
                Some(Ok(Frame::data(data)))
            }
            Some(Err(broken)) => {
                self.end = match broken {
                    Broken::Refused => REFUSED,
                    _ => TRUNCATED,
                };
                Some(Err(broken.into()))
            }
        })
    }

    fn is_end_stream(&self) -> bool {
        self.bounded.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.bounded.body.size_hint()
    }
}

impl Drop for AnswerBody {
    fn drop(&mut self) {
        self.metrics.relay_ended(self.end);
    }
}
