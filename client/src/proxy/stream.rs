//! A streamed answer: events pass as they come, but the one that says "complete" waits for the authenticated end and its receipt.

use super::{Proxy, openai_error::OpenAiError};
use crate::{
    ClientError, Exchange,
    sse::{self, Events},
};
use bytes::Bytes;
use futures_util::stream;
use http_body_util::StreamBody;
use hyper::body::Frame;
use listener::Body;
use protocol::ResponseEvent;
use std::{collections::VecDeque, sync::Arc};

struct Passing {
    proxy: Arc<Proxy>,
    exchange: Exchange,
    held: Held,
    ready: VecDeque<Bytes>,
    ended: bool,
    /// Told to the local program; breaks the connection next.
    broken: Option<ClientError>,
}

/// `data: [DONE]` and whatever follows it, kept until the end is authenticated.
#[derive(Default)]
struct Held {
    events: Events,
    tail: Vec<u8>,
}

/// The body. Its error makes the listener break the connection, so that an SDK raises instead of returning a partial answer.
pub(super) fn body(proxy: Arc<Proxy>, exchange: Exchange) -> Body {
    let passing = Passing {
        proxy,
        exchange,
        held: Held::default(),
        ready: VecDeque::new(),
        ended: false,
        broken: None,
    };
    let frames = stream::try_unfold(passing, |mut passing| async move {
        let part = passing.next().await?;
        Ok::<_, ClientError>(part.map(|part| (Frame::data(part), passing)))
    });
    listener::body::streaming(StreamBody::new(frames))
}

impl Passing {
    async fn next(&mut self) -> Result<Option<Bytes>, ClientError> {
        loop {
            if let Some(part) = self.ready.pop_front() {
                return Ok(Some(part));
            }
            if self.ended {
                return Ok(None);
            }
            if let Some(error) = self.broken.take() {
                // What was told is to leave before the connection breaks.
                tokio::task::yield_now().await;
                return Err(error);
            }
            if let Err(error) = self.advance().await {
                self.break_off(&error);
                self.ready.push_back(OpenAiError::of(&error).event());
                self.broken = Some(error);
            }
        }
    }

    fn break_off(&self, error: &ClientError) {
        let id = self.exchange.id();
        let code = error.code();
        self.proxy
            .notice(format!("answer {id} is broken off: {error} [{code}]"));
        self.proxy.keep_unfinished(&self.exchange);
    }

    async fn advance(&mut self) -> Result<(), ClientError> {
        match self.exchange.next().await? {
            Some(ResponseEvent::Body(part)) => self.ready.extend(self.held.pass(&part)?),
            // R6.11
            Some(ResponseEvent::End { receipt }) => {
                self.proxy.keep_receipt(&self.exchange, &receipt);
                self.ready.extend(std::mem::take(&mut self.held).release());
                self.ended = true;
            }
            Some(ResponseEvent::Head { .. }) => return Err(protocol::OpenError::Bhttp.into()),
            None => return Err(protocol::OpenError::Truncated.into()),
        }
        Ok(())
    }
}

impl Held {
    /// The events that may go out before the end.
    fn pass(&mut self, part: &[u8]) -> Result<Option<Bytes>, ClientError> {
        let mut out = Vec::new();
        for event in self.events.push(part)? {
            let hold = !self.tail.is_empty() || sse::is_done(&event);
            let to = if hold { &mut self.tail } else { &mut out };
            to.extend(event);
        }
        Ok((!out.is_empty()).then(|| Bytes::from(out)))
    }

    /// What was held, once the end is authenticated.
    fn release(self) -> Option<Bytes> {
        let mut tail = self.tail;
        tail.extend(self.events.into_rest());
        (!tail.is_empty()).then(|| Bytes::from(tail))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn done_waits_for_the_authenticated_end() {
        let mut held = Held::default();
        let passed = held.pass(b"data: a\n\ndata: [DO").unwrap();
        assert_eq!(passed.unwrap(), "data: a\n\n");
        assert_eq!(held.pass(b"NE]\n\n").unwrap(), None);
        assert_eq!(held.pass(b": padding\n\n").unwrap(), None);
        assert_eq!(held.release().unwrap(), "data: [DONE]\n\n: padding\n\n");
        assert_eq!(Held::default().release(), None);
    }
}
