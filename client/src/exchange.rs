//! One sealed answer as it comes. It is complete only after [`ResponseEvent::End`].

use crate::{
    AdmittedNode, ClientError, RequestId, admissions::Admissions, judging::Turns, transport,
    transport::STALL_TIMEOUT,
};
use http_body_util::BodyExt;
use hyper::body::{Bytes, Incoming};
use protocol::{OpenError, Opener, Opening, ResponseEvent, SignedReceipt};
use std::{collections::VecDeque, sync::Arc};
use tokio::time::Instant;

/// The largest answer that [`Exchange::collect`] takes, in bytes.
pub const MAX_COLLECTED_BYTES: usize = 16 * 1024 * 1024;

/// Misdirected Request (RFC 9110 section 15.5.20), inside the seal: a sealed header names what the node does not know.
pub(crate) const MISDIRECTED: u16 = 421;

/// An answer under way.
pub struct Exchange {
    id: RequestId,
    served: Served,
    opener: Opener,
    body: Incoming,
    opened: VecDeque<ResponseEvent>,
    stage: Stage,
}

/// Who answers, and who knows whether it still may.
pub(crate) struct Served {
    pub(crate) node: Arc<AdmittedNode>,
    pub(crate) admissions: Arc<Admissions>,
    /// From before the request was sealed.
    pub(crate) turns: Turns,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Stage {
    Reading,
    /// The outer body has ended and the opener agrees.
    Ended,
    /// An error was given; there is nothing more.
    Failed,
}

/// A complete answer.
pub struct Answer {
    /// The inner status.
    pub status: u16,
    /// Header fields, lower-case names.
    pub headers: Vec<(String, Vec<u8>)>,
    /// The whole body.
    pub body: Vec<u8>,
    /// Verified by the opener.
    pub receipt: SignedReceipt,
}

impl Exchange {
    pub(crate) fn new(id: RequestId, served: Served, opener: Opener, body: Incoming) -> Self {
        Self {
            id,
            served,
            opener,
            body,
            opened: VecDeque::new(),
            stage: Stage::Reading,
        }
    }

    /// The next event; `None` only after `End`. After an error there is nothing more, and what came before is not an answer.
    pub async fn next(&mut self) -> Result<Option<ResponseEvent>, ClientError> {
        self.read_on().await?;
        Ok(self.opened.pop_front())
    }

    /// The inner status, once the head has come; before the first event is taken.
    pub(crate) async fn status(&mut self) -> Result<u16, ClientError> {
        self.read_on().await?;
        match self.opened.front() {
            Some(ResponseEvent::Head { status, .. }) => Ok(*status),
            _ => Err(OpenError::Bhttp.into()),
        }
    }

    /// Takes the whole answer.
    pub async fn collect(&mut self) -> Result<Answer, ClientError> {
        let (mut status, mut headers, mut body) = (0, Vec::new(), Vec::new());
        while let Some(event) = self.next().await? {
            match event {
                ResponseEvent::Head {
                    status: head_status,
                    headers: head_headers,
                } => (status, headers) = (head_status, head_headers),
                ResponseEvent::Body(part) if part.len() > MAX_COLLECTED_BYTES - body.len() => {
                    return Err(ClientError::AnswerTooLarge(MAX_COLLECTED_BYTES));
                }
                ResponseEvent::Body(part) => body.extend_from_slice(&part),
                ResponseEvent::End { receipt } => {
                    return Ok(Answer {
                        status,
                        headers,
                        body,
                        receipt,
                    });
                }
            }
        }
        Err(OpenError::Truncated.into())
    }

    /// Names this exchange.
    #[must_use]
    pub const fn id(&self) -> RequestId {
        self.id
    }

    /// The node that answers.
    #[must_use]
    pub fn node(&self) -> &AdmittedNode {
        &self.served.node
    }

    /// What opens the receipt's digests to an auditor.
    #[must_use]
    pub fn opening(&self) -> Opening {
        self.opener.opening()
    }

    /// After `receipt.outcome`: the verified receipt of an answer that is not whole.
    #[must_use]
    pub const fn unfinished(&self) -> Option<&SignedReceipt> {
        self.opener.unfinished()
    }

    /// Reads until there is an event or no more of them. A stream that breaks off is an error, and nothing is sent again by itself (R11.2).
    async fn read_on(&mut self) -> Result<(), ClientError> {
        while self.opened.is_empty() {
            match self.stage {
                Stage::Ended => return Ok(()),
                Stage::Failed => return Err(OpenError::Truncated.into()),
                Stage::Reading => {}
            }
            self.stage = Stage::Failed;
            self.stage = self.advance().await.inspect_err(|error| {
                self.served.admissions.lost(&self.served.node, error.code());
            })?;
        }
        Ok(())
    }

    async fn advance(&mut self) -> Result<Stage, ClientError> {
        let Some(part) = self.part().await? else {
            let last = self.opener.finish()?;
            self.take(last);
            self.served.admissions.answered(&self.served.node);
            return Ok(Stage::Ended);
        };
        let events = self.opener.push(&part)?;
        self.take(events);
        Ok(Stage::Reading)
    }

    /// Keeps events for the caller; one of them may say that the node has forgotten the attestation that was sealed to.
    fn take(&mut self, events: Vec<ResponseEvent>) {
        let misdirected = |event: &ResponseEvent| matches!(event, ResponseEvent::Head { status, .. } if *status == MISDIRECTED);
        if events.iter().any(misdirected) {
            self.served.node.forget();
        }
        self.opened.extend(events);
    }

    /// The next bytes of the outer body; `None` at its end.
    async fn part(&mut self) -> Result<Option<Bytes>, ClientError> {
        let deadline = Instant::now() + STALL_TIMEOUT;
        loop {
            let frame = tokio::select! {
                biased;
                Ok(()) = self.served.turns.changed() => {
                    self.served.check()?;
                    continue;
                }
                frame = tokio::time::timeout_at(deadline, self.body.frame()) => frame,
            };
            let frame = frame
                .map_err(|_| ClientError::Interrupted("nothing came for too long".to_owned()))?;
            let Some(frame) = frame else { return Ok(None) };
            let frame =
                frame.map_err(|error| ClientError::Interrupted(transport::causes(&error)))?;
            if let Ok(data) = frame.into_data() {
                return Ok(Some(data));
            }
        }
    }
}

impl Served {
    /// Whether what is in force now lets the answer go on.
    fn check(&self) -> Result<(), ClientError> {
        let judging = &self.admissions.attester.judging;
        judging.check_under_way(&self.node)
    }
}
