//! What a connection is doing: exchanges under way, and when one of them last got on. From this follow idling and stalling.

use crate::Limits;
use bytes::Bytes;
use hyper::body::{Body, Frame, SizeHint};
use std::{
    pin::Pin,
    sync::{
        Arc,
        atomic::{AtomicU64, AtomicUsize, Ordering},
    },
    task::{Context, Poll},
    time::Duration,
};
use tokio::time::Instant;

/// One connection's exchanges.
pub(crate) struct Activity {
    start: Instant,
    /// Milliseconds from `start` to the last progress; 0: none yet.
    progress_ms: AtomicU64,
    exchanges: AtomicUsize,
}

/// What a connection deserves.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Verdict {
    /// Its deadline has not passed.
    Alive,
    /// Nothing is under way: ask it to end.
    Idle,
    /// Something is under way and does not get on: cut it.
    Stalled,
}

impl Activity {
    pub(crate) fn start() -> Arc<Self> {
        Arc::new(Self {
            start: Instant::now(),
            progress_ms: AtomicU64::new(0),
            exchanges: AtomicUsize::new(0),
        })
    }

    /// Exchanges under way.
    pub(crate) fn exchanges(&self) -> usize {
        self.exchanges.load(Ordering::Acquire)
    }

    /// When to ask for a [`Verdict`]: at the deadline, and no later than the shortest limit from now, since a deadline may come
    /// nearer when an exchange begins or ends.
    pub(crate) fn next_look(&self, limits: &Limits) -> Instant {
        let shortest = limits
            .header_timeout
            .min(limits.idle_timeout)
            .min(limits.stall_timeout);
        self.deadline(limits).min(Instant::now() + shortest)
    }

    fn deadline(&self, limits: &Limits) -> Instant {
        let progress_ms = self.progress_ms.load(Ordering::Acquire);
        let allowed = match (self.exchanges(), progress_ms) {
            (0, 0) => limits.header_timeout,
            (0, _) => limits.idle_timeout,
            _ => limits.stall_timeout,
        };
        self.start + Duration::from_millis(progress_ms) + allowed
    }

    pub(crate) fn verdict(&self, limits: &Limits) -> Verdict {
        if Instant::now() < self.deadline(limits) {
            Verdict::Alive
        } else if self.exchanges() == 0 {
            Verdict::Idle
        } else {
            Verdict::Stalled
        }
    }

    pub(crate) fn begin_exchange(self: &Arc<Self>) -> ExchangeGuard {
        self.exchanges.fetch_add(1, Ordering::AcqRel);
        self.progress();
        ExchangeGuard(Arc::clone(self))
    }

    fn progress(&self) {
        let elapsed_ms = u64::try_from(self.start.elapsed().as_millis()).unwrap_or(u64::MAX);
        self.progress_ms.store(elapsed_ms.max(1), Ordering::Release);
    }
}

/// Counts one exchange for as long as it lives.
pub(crate) struct ExchangeGuard(Arc<Activity>);

impl Drop for ExchangeGuard {
    fn drop(&mut self) {
        self.0.progress();
        self.0.exchanges.fetch_sub(1, Ordering::AcqRel);
    }
}

/// A response body that tells its connection's [`Activity`] of every part that the peer was ready to take.
pub(crate) struct Tracked<B> {
    body: Pin<Box<B>>,
    content: Content,
    guard: ExchangeGuard,
}

/// Whether an answer's content goes out.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Content {
    Sent,
    /// The answer to HEAD has none (RFC 9110 section 9.3.2); HTTP/1.1 is known to leave it out, HTTP/2 is not.
    Withheld,
}

impl<B> Tracked<B> {
    pub(crate) fn new(body: B, content: Content, guard: ExchangeGuard) -> Self {
        guard.0.progress();
        Self {
            body: Box::pin(body),
            content,
            guard,
        }
    }
}

impl<B: Body<Data = Bytes>> Body for Tracked<B> {
    type Data = Bytes;
    type Error = B::Error;

    fn poll_frame(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, B::Error>>> {
        let this = self.get_mut();
        if this.content == Content::Withheld {
            return Poll::Ready(None);
        }
        let polled = this.body.as_mut().poll_frame(cx);
        if polled.is_ready() {
            this.guard.0.progress();
        }
        polled
    }

    fn is_end_stream(&self) -> bool {
        self.content == Content::Withheld || self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.body.size_hint()
    }
}
