//! One request from its first question to the head of its answer: which call comes next.
//!
//! On the RFC 9458 key problem: fresh keys, once. Where the runtime refuses the envelope as such: a new admission, once. On a refused
//! connection, 503 or a node that the gateway does not reach: the next node, at most twice, and the caller is told. Always a fresh encapsulation, always the same request id.

mod answer;

use crate::{
    Admission, AdmittedNode, Call, Exchange, Failure, Reading, Request, RequestId, Session,
    SessionError,
    call::Question,
    offer::{self, Offer},
    problem::MAX_PROBLEM_BYTES,
};
use answer::{Answer, NotRelayed, interrupted, media_type, unanswered};
use attestation::{Nonce, UnixTime};
use protocol::{Opener, SignedKeyConfigs};
use std::{collections::VecDeque, sync::Arc};

/// Nodes tried for one request after the first.
const MAX_FAILOVERS: usize = 2;

/// One request under way. The order of calls: [`Flow::begin`]; then for each [`Call`] either [`Flow::failed`], or [`Flow::head`] and, if
/// the body is to be read whole, [`Flow::body`]; at last [`Flow::into_exchange`].
pub struct Flow {
    request: Request,
    id: RequestId,
    failed: Vec<String>,
    /// Offers of this round that have not been tried.
    waiting: VecDeque<Offer>,
    passed_over: Option<SessionError>,
    remedies: Remedies,
    stage: Stage,
    answer: Option<Answer>,
    notices: Vec<Notice>,
}

/// Something that the user may want to know although the work goes on.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Notice {
    /// A node was admitted, or got new keys.
    Admitted(Admission),
    /// A node was passed over or is unavailable; in words.
    PassedOver(String),
}

/// What the last call asked for.
enum Stage {
    New,
    Offers,
    Keys(Arc<AdmittedNode>, Refresh),
    Challenge(Box<Offer>, Nonce, Refresh),
    Relay(Arc<AdmittedNode>, Box<Opener>, Refresh),
    Sealed(Arc<AdmittedNode>, Box<Opener>),
    Over,
}

/// What may still be tried for this request, each once.
#[derive(Clone, Copy)]
struct Remedies {
    keys: bool,
    admission: bool,
}

/// Whether a remedy is being tried at this node: if it fails, there is nothing more to try.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Refresh {
    Unspent,
    Spent,
}

impl Flow {
    pub(crate) const fn new(request: Request, id: RequestId) -> Self {
        Self {
            request,
            id,
            failed: Vec::new(),
            waiting: VecDeque::new(),
            passed_over: None,
            remedies: Remedies {
                keys: true,
                admission: true,
            },
            stage: Stage::New,
            answer: None,
            notices: Vec::new(),
        }
    }

    /// Names the exchange; every attempt has this id.
    #[must_use]
    pub const fn id(&self) -> RequestId {
        self.id
    }

    /// What happened since the last time.
    pub fn take_notices(&mut self) -> Vec<Notice> {
        std::mem::take(&mut self.notices)
    }

    /// The first call.
    pub fn begin(&mut self, session: &mut Session, now: UnixTime) -> Result<Call, SessionError> {
        match self.stage {
            Stage::New => {
                let now = session.at(now);
                self.choose(session, now)
            }
            _ => Err(SessionError::Order("begin")),
        }
    }

    /// The head of the answer to the last call: how to read its body.
    pub fn head(
        &mut self,
        status: u16,
        content_type: Option<&str>,
    ) -> Result<Reading, SessionError> {
        let media_type = content_type.map(media_type);
        let max_bytes = match (&self.stage, status) {
            (Stage::Offers, 200) => Question::Offers.max_bytes(),
            (Stage::Keys(..), 200) => Question::Keys.max_bytes(),
            (Stage::Challenge(..), 200) => Question::Challenge.max_bytes(),
            (Stage::Relay(..), 200) if media_type == Some(protocol::RESPONSE_MEDIA_TYPE) => {
                return self.sealed();
            }
            (Stage::New | Stage::Sealed(..) | Stage::Over, _) => {
                return Err(SessionError::Order("head"));
            }
            _ => MAX_PROBLEM_BYTES,
        };
        self.answer = Some(Answer::new(status, media_type.map(str::to_owned)));
        Ok(Reading::Whole { max_bytes })
    }

    /// The whole body of the answer whose head was given: the next call.
    pub fn body(
        &mut self,
        session: &mut Session,
        body: Vec<u8>,
        now: UnixTime,
    ) -> Result<Call, SessionError> {
        let answer = self.answer.take().ok_or(SessionError::Order("body"))?;
        let now = session.at(now);
        match std::mem::replace(&mut self.stage, Stage::Over) {
            Stage::Offers => {
                let body = answer.accepted(Question::Offers, body)?;
                session.offers = offer::parse(&body)?;
                self.waiting = session.candidates(&self.failed).cloned().collect();
                self.waiting.truncate(1 + MAX_FAILOVERS);
                self.next_offer(session)
            }
            Stage::Keys(node, refresh) => {
                let keys = answer.accepted(Question::Keys, body);
                self.renewed(session, (node, refresh), keys, now)
            }
            Stage::Challenge(offer, nonce, refresh) => {
                let bundle = answer.accepted(Question::Challenge, body);
                let bundle = bundle.map(|bundle| (bundle, nonce));
                self.challenged(session, (&offer, refresh), bundle, now)
            }
            Stage::Relay(node, _, refresh) => {
                self.not_relayed(session, (node, refresh), answer.refusal(&body), now)
            }
            _ => Err(SessionError::Order("body")),
        }
    }

    /// The last call got no answer, or its body broke off: the next call.
    pub fn failed(
        &mut self,
        session: &mut Session,
        failure: Failure,
        now: UnixTime,
    ) -> Result<Call, SessionError> {
        self.answer = None;
        let now = session.at(now);
        match std::mem::replace(&mut self.stage, Stage::Over) {
            Stage::Offers => Err(unanswered(failure)),
            Stage::Keys(node, refresh) => {
                self.renewed(session, (node, refresh), Err(unanswered(failure)), now)
            }
            Stage::Challenge(offer, _, refresh) => {
                self.challenged(session, (&offer, refresh), Err(unanswered(failure)), now)
            }
            Stage::Relay(node, _, refresh) => {
                self.not_relayed(session, (node, refresh), interrupted(failure), now)
            }
            _ => Err(SessionError::Order("failed")),
        }
    }

    /// The sealed answer, after [`Reading::Sealed`].
    pub fn into_exchange(self) -> Result<Exchange, SessionError> {
        match self.stage {
            Stage::Sealed(node, opener) => Ok(Exchange::new(self.id, node, *opener)),
            _ => Err(SessionError::Order("into_exchange")),
        }
    }

    /// The best node that is admitted now; without one, the offers.
    fn choose(&mut self, session: &mut Session, now: UnixTime) -> Result<Call, SessionError> {
        session.check_standing(now)?;
        match session.usable_node(&self.failed, now) {
            Some(node) => self.relay(session, node, Refresh::Unspent, now),
            None => {
                self.stage = Stage::Offers;
                Ok(Call::offers())
            }
        }
    }

    /// The next offer of this round; after the last one, why none was taken.
    fn next_offer(&mut self, session: &mut Session) -> Result<Call, SessionError> {
        while let Some(offer) = self.waiting.pop_front() {
            match session.check_name(&offer.node) {
                Ok(()) => return self.renew_or_challenge(session, &offer, Refresh::Unspent),
                Err(error) => self.note(&offer, error),
            }
        }
        Err(self
            .passed_over
            .take()
            .unwrap_or_else(|| SessionError::Unavailable("no other node is on offer".to_owned())))
    }

    fn note(&mut self, offer: &Offer, error: SessionError) {
        let text = format!("node {} is passed over: {error}", offer.node);
        self.notices.push(Notice::PassedOver(text));
        self.passed_over = Some(error);
    }

    /// New keys under an admission that still lasts, or a new admission.
    fn renew_or_challenge(
        &mut self,
        session: &mut Session,
        offer: &Offer,
        refresh: Refresh,
    ) -> Result<Call, SessionError> {
        match session.nodes.remove(&offer.node) {
            Some(node) if session.may_renew(&node) => {
                let call = Call::keys(node.offer());
                self.stage = Stage::Keys(node, refresh);
                Ok(call)
            }
            _ => self.challenge(session, offer, refresh),
        }
    }

    fn challenge(
        &mut self,
        session: &Session,
        offer: &Offer,
        refresh: Refresh,
    ) -> Result<Call, SessionError> {
        let nonce = Nonce(session.random()?);
        self.stage = Stage::Challenge(Box::new(offer.clone()), nonce, refresh);
        Ok(Call::challenge(offer, &nonce))
    }

    fn renewed(
        &mut self,
        session: &mut Session,
        (node, refresh): (Arc<AdmittedNode>, Refresh),
        keys: Result<Vec<u8>, SessionError>,
        now: UnixTime,
    ) -> Result<Call, SessionError> {
        let signed = keys.map(SignedKeyConfigs::from_bytes);
        match signed.and_then(|signed| Ok(node.with_keys(&signed, now)?)) {
            Ok(renewed) => self.admitted(session, renewed, refresh, now),
            Err(_) => self.challenge(session, node.offer(), refresh),
        }
    }

    fn challenged(
        &mut self,
        session: &mut Session,
        (offer, refresh): (&Offer, Refresh),
        answer: Result<(Vec<u8>, Nonce), SessionError>,
        now: UnixTime,
    ) -> Result<Call, SessionError> {
        let judge = (&session.appraiser, &mut session.verified);
        let node = answer.and_then(|answer| Ok(AdmittedNode::admit(offer, answer, judge, now)?));
        match node {
            Ok(node) => self.admitted(session, node, refresh, now),
            Err(error) => self.pass_over(session, (offer, refresh), error),
        }
    }

    fn admitted(
        &mut self,
        session: &mut Session,
        node: AdmittedNode,
        refresh: Refresh,
        now: UnixTime,
    ) -> Result<Call, SessionError> {
        let offer = node.offer().clone();
        match session.keep(node) {
            Ok(node) => {
                self.notices.push(Notice::Admitted(Admission::of(&node)));
                self.relay(session, node, refresh, now)
            }
            Err(error) => self.pass_over(session, (&offer, refresh), error),
        }
    }

    /// A refused node is told, and the last refusal is the answer if all are.
    fn pass_over(
        &mut self,
        session: &mut Session,
        (offer, refresh): (&Offer, Refresh),
        error: SessionError,
    ) -> Result<Call, SessionError> {
        if refresh == Refresh::Spent {
            return Err(error);
        }
        self.note(offer, error);
        self.next_offer(session)
    }

    fn relay(
        &mut self,
        session: &Session,
        node: Arc<AdmittedNode>,
        refresh: Refresh,
        now: UnixTime,
    ) -> Result<Call, SessionError> {
        session.check_standing(now)?;
        session.judge_again(&node, now)?;
        check_model(&self.request, &node)?;
        let request = self.request.to_seal(self.id, session);
        let (sealed, opener) = node.seal(&request, now)?;
        let call = Call::relay(node.offer(), sealed.envelope);
        self.stage = Stage::Relay(node, Box::new(opener), refresh);
        Ok(call)
    }

    fn sealed(&mut self) -> Result<Reading, SessionError> {
        match std::mem::replace(&mut self.stage, Stage::Over) {
            Stage::Relay(node, opener, _) => {
                self.stage = Stage::Sealed(node, opener);
                Ok(Reading::Sealed)
            }
            _ => Err(SessionError::Order("head")),
        }
    }

    fn not_relayed(
        &mut self,
        session: &mut Session,
        (node, refresh): (Arc<AdmittedNode>, Refresh),
        why: NotRelayed,
        now: UnixTime,
    ) -> Result<Call, SessionError> {
        match why {
            NotRelayed::KeyProblem if refresh == Refresh::Unspent && self.remedies.keys => {
                self.remedies.keys = false;
                self.refresh(session, &node, now)
            }
            NotRelayed::KeyProblem => Err(SessionError::KeyProblem),
            NotRelayed::EnvelopeRefused if self.remedies.admission => {
                self.remedies.admission = false;
                session.nodes.remove(node.name());
                self.challenge(session, node.offer(), Refresh::Spent)
            }
            NotRelayed::EnvelopeRefused => Err(SessionError::EnvelopeRefused(400)),
            NotRelayed::Unavailable(why) if self.failed.len() < MAX_FAILOVERS => {
                let text = format!("node {} is unavailable ({why})", node.name());
                self.notices.push(Notice::PassedOver(text));
                self.failed.push(node.name().to_owned());
                self.passed_over = None;
                self.choose(session, now)
            }
            NotRelayed::Unavailable(why) => Err(SessionError::Unavailable(why)),
            NotRelayed::Refused(error) => Err(error),
        }
    }

    /// After the key problem: fresh keys for `node`, unless another request got them meanwhile.
    fn refresh(
        &mut self,
        session: &mut Session,
        node: &Arc<AdmittedNode>,
        now: UnixTime,
    ) -> Result<Call, SessionError> {
        match session.nodes.get(node.name()) {
            Some(current) if !Arc::ptr_eq(current, node) => {
                let current = Arc::clone(current);
                self.relay(session, current, Refresh::Spent, now)
            }
            _ => self.renew_or_challenge(session, node.offer(), Refresh::Spent),
        }
    }
}

/// Said here rather than by the runtime, whose refusal would give no reason.
fn check_model(request: &Request, node: &AdmittedNode) -> Result<(), SessionError> {
    let served = &node.admitted().claims().manifest.model;
    match request.model() {
        Some(asked) if asked != served => Err(SessionError::Model {
            asked: asked.to_owned(),
            served: served.clone(),
        }),
        _ => Ok(()),
    }
}
