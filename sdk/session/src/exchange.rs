//! One sealed answer as it comes. It is complete only after [`Event::End`].

use crate::{AdmittedNode, RequestId, Served, SessionError, sse::Held};
use protocol::{OpenError, Opener, ResponseEvent, SignedReceipt};
use std::sync::Arc;

/// The largest answer taken in one piece, in bytes.
pub const MAX_COLLECTED_BYTES: usize = 16 * 1024 * 1024;

/// Misdirected Request (RFC 9110 section 15.5.20), inside the seal: a sealed header names what the node does not know.
const MISDIRECTED: u16 = 421;
/// Inner headers that the caller gets to see.
const PASSED_HEADERS: [&str; 2] = ["content-type", "retry-after"];

/// An answer under way: every byte of the outer body goes in, what may be shown comes out.
pub struct Exchange {
    id: RequestId,
    node: Arc<AdmittedNode>,
    opener: Opener,
    body: Body,
}

/// What may be shown. Debug tells lengths only.
pub enum Event {
    /// Status and headers.
    Head(Head),
    /// Part of a stream of events, authenticated and in order, but not known to be whole: what says "complete" is kept back until the
    /// authenticated end. An answer that is no stream comes in one piece, after its authenticated end.
    Body(Vec<u8>),
    /// The authenticated end, with the verified receipt.
    End(Box<Served>),
}

/// Head of the inner answer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Head {
    /// The inner status.
    pub status: u16,
    /// `content-type` and `retry-after` as sealed, and who answered; lower-case names.
    pub headers: Vec<(&'static str, String)>,
    /// Whether the body comes as server-sent events.
    pub is_stream: bool,
}

enum Body {
    Stream(Held),
    Whole(Vec<u8>),
}

impl std::fmt::Debug for Event {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Head(head) => write!(out, "Head({})", head.status),
            Self::Body(part) => write!(out, "Body({} bytes)", part.len()),
            Self::End(_) => write!(out, "End"),
        }
    }
}

impl Exchange {
    pub(crate) const fn new(id: RequestId, node: Arc<AdmittedNode>, opener: Opener) -> Self {
        Self {
            id,
            node,
            opener,
            body: Body::Whole(Vec::new()),
        }
    }

    /// Names this exchange.
    #[must_use]
    pub const fn id(&self) -> RequestId {
        self.id
    }

    /// The node that answers.
    #[must_use]
    pub fn node(&self) -> &AdmittedNode {
        &self.node
    }

    /// The next bytes of the outer body, cut anywhere. After an error there is nothing more, and what came before is not an answer.
    pub fn push(&mut self, bytes: &[u8]) -> Result<Vec<Event>, SessionError> {
        let events = self.opener.push(bytes)?;
        self.show(events)
    }

    /// The outer body has ended: the last events, or the truth that it was truncated.
    pub fn finish(&mut self) -> Result<Vec<Event>, SessionError> {
        let events = self.opener.finish()?;
        self.show(events)
    }

    /// The outer body broke off. The node may have ended: the next request asks it for new evidence first, and goes elsewhere if none comes.
    #[must_use]
    pub fn interrupted(&self, why: String) -> SessionError {
        self.node.forget();
        SessionError::Interrupted(why)
    }

    fn show(&mut self, events: Vec<ResponseEvent>) -> Result<Vec<Event>, SessionError> {
        let mut shown = Vec::new();
        for event in events {
            match event {
                ResponseEvent::Head { status, headers } => {
                    shown.push(Event::Head(self.head(status, &headers)?));
                }
                ResponseEvent::Body(part) => shown.extend(self.part(&part)?),
                ResponseEvent::End { receipt } => {
                    shown.extend(self.rest());
                    shown.push(Event::End(Box::new(self.served(receipt)?)));
                }
            }
        }
        Ok(shown)
    }

    fn head(&mut self, status: u16, headers: &[(String, Vec<u8>)]) -> Result<Head, SessionError> {
        let mut passed = Vec::new();
        for name in PASSED_HEADERS {
            if let Some((_, value)) = headers.iter().find(|(known, _)| known == name) {
                let value = std::str::from_utf8(value).map_err(|_| OpenError::Bhttp)?;
                passed.push((name, value.to_owned()));
            }
        }
        let is_stream = passed.first().is_some_and(|(name, value)| {
            *name == "content-type" && value.starts_with("text/event-stream")
        });
        if is_stream {
            self.body = Body::Stream(Held::default());
        }
        passed.extend([
            ("narthex-request-id", self.id.to_string()),
            ("narthex-node", self.node.name().to_owned()),
            (
                "narthex-policy-version",
                self.node.keys().policy_version.to_string(),
            ),
        ]);
        if status == MISDIRECTED {
            self.node.forget();
            // The next attempt challenges the node again.
            passed.push(("x-should-retry", "true".to_owned()));
        }
        Ok(Head {
            status,
            headers: passed,
            is_stream,
        })
    }

    fn part(&mut self, part: &[u8]) -> Result<Option<Event>, SessionError> {
        match &mut self.body {
            Body::Stream(held) => Ok(body(held.pass(part)?)),
            Body::Whole(whole) if part.len() > MAX_COLLECTED_BYTES - whole.len() => {
                Err(SessionError::AnswerTooLarge(MAX_COLLECTED_BYTES))
            }
            Body::Whole(whole) => {
                whole.extend_from_slice(part);
                Ok(None)
            }
        }
    }

    /// What was held until the authenticated end.
    fn rest(&mut self) -> Option<Event> {
        match &mut self.body {
            Body::Stream(held) => body(held.release()),
            Body::Whole(whole) => body(std::mem::take(whole)),
        }
    }

    fn served(&self, receipt: SignedReceipt) -> Result<Served, SessionError> {
        let parsed = receipt.verify(self.opener.identity());
        let parsed = parsed.map_err(OpenError::Receipt)?;
        let node = Arc::clone(&self.node);
        Ok(Served::new(node, parsed, receipt, self.opener.opening()))
    }
}

fn body(part: Vec<u8>) -> Option<Event> {
    (!part.is_empty()).then_some(Event::Body(part))
}
