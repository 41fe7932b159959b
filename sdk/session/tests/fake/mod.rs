//! A gateway without sockets: it answers calls from nodes that seal real answers, and does what harm a test asks for.
#![allow(dead_code, reason = "each test file uses a part")]

#[path = "../../../../client/tests/fake/node.rs"]
mod node;

pub(crate) use node::{MODEL, Node, accepting_custom};

use attestation::{Nonce, UnixTime};
use session::{
    Beside, Call, Composition, Event, Exchange, Failure, Notice, Reading, Request, Session,
    SessionError, Settings,
};
use std::{
    cell::{Cell, RefCell},
    time::{SystemTime, UNIX_EPOCH},
};
use tee_sim::PolicySigner;
use zeroize::Zeroizing;

/// What goes wrong.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Fault {
    None,
    /// The relay path of so many nodes, in the order of the offers, answers 503.
    Unavailable(usize),
    /// The same, but nothing listens.
    Refused(usize),
    /// The same, but the gateway does not know the node any more.
    Absent(usize),
    /// The runtime refuses every envelope.
    EnvelopeRefused,
    /// The relay path answers with this status.
    Status(u16),
    /// The relay path answers 200 of another media type.
    MediaType,
    /// The connection breaks before the relay's answer.
    Broken,
    /// The relay path never answers.
    Silent,
    /// Every envelope is for an unknown key.
    KeyProblem,
    /// A challenge is answered with the evidence for another nonce.
    OldEvidence,
    /// The evidence bundle has a byte too many.
    TrailingByte,
    /// The evidence bundle carries no key list.
    NoKeys,
    /// Nodes are on offer under another name.
    OtherName,
    /// The offers are not JSON.
    BadOffers,
    /// No node is on offer.
    NoOffers,
    /// No connection to the gateway.
    Unreachable,
    /// The gateway does not take the API key.
    Unauthorized,
}

/// The nodes, the harm, the time, and what was seen: calls by the last part of their path, and notices.
#[derive(Default)]
pub(crate) struct Gateway {
    pub(crate) nodes: Vec<Node>,
    pub(crate) fault: Cell<Option<Fault>>,
    pub(crate) calls: RefCell<Vec<String>>,
    pub(crate) notices: RefCell<Vec<Notice>>,
    pub(crate) now: Cell<u64>,
}

/// What came of a call.
enum Answered {
    Head(u16, &'static str, Vec<u8>),
    Failed(Failure),
}

pub(crate) fn now() -> UnixTime {
    #[expect(clippy::disallowed_methods, reason = "certificates are made for now")]
    let now = SystemTime::now();
    UnixTime(now.duration_since(UNIX_EPOCH).unwrap().as_secs())
}

impl Gateway {
    pub(crate) fn new(names: &[&str]) -> Self {
        Self {
            nodes: names.iter().map(|name| Node::new(name)).collect(),
            now: Cell::new(now().0),
            ..Self::default()
        }
    }

    /// A session whose policy admits the nodes with these edits of its text.
    pub(crate) fn session(
        &self,
        edit: impl FnOnce(&mut tee_sim::PolicyText),
    ) -> Result<Session, SessionError> {
        let signer = PolicySigner::generate();
        let mut text = self.nodes[0].policy_text();
        edit(&mut text);
        let policy = signer.signed_policy(&text.to_toml()).to_json();
        let key = pem(&signer.public_key());
        open(&self.nodes[0], policy.as_ref(), &[&key], None)
    }

    /// Drives `request` to the head of its answer.
    pub(crate) fn send(
        &self,
        session: &mut Session,
        request: Request,
    ) -> Result<(Exchange, Vec<u8>), SessionError> {
        let mut flow = session.start(request)?;
        let mut call = flow.begin(session, self.now());
        loop {
            self.notices.borrow_mut().extend(flow.take_notices());
            call = match self.answer(&call?) {
                Answered::Failed(failure) => flow.failed(session, failure, self.now()),
                Answered::Head(status, content_type, body) => {
                    match flow.head(status, Some(content_type))? {
                        Reading::Whole { .. } => flow.body(session, body, self.now()),
                        Reading::Sealed => return Ok((flow.into_exchange()?, body)),
                    }
                }
            };
        }
    }

    /// The same, and the whole answer.
    pub(crate) fn ask(
        &self,
        session: &mut Session,
        request: Request,
    ) -> Result<Vec<Event>, SessionError> {
        let (mut exchange, body) = self.send(session, request)?;
        let mut events = exchange.push(&body)?;
        events.extend(exchange.finish()?);
        Ok(events)
    }

    pub(crate) fn calls(&self) -> Vec<String> {
        std::mem::take(&mut self.calls.borrow_mut())
    }

    fn now(&self) -> UnixTime {
        UnixTime(self.now.get())
    }

    fn fault(&self) -> Fault {
        self.fault.get().unwrap_or(Fault::None)
    }

    fn answer(&self, call: &Call) -> Answered {
        let (node, route) = call.path.rsplit_once('/').unwrap();
        self.calls.borrow_mut().push(route.to_owned());
        let node = node.rsplit('/').next().unwrap();
        let index = self.nodes.iter().position(|known| known.name == node);
        match (route, index) {
            ("offers", None) => self.offers(),
            ("challenge", Some(index)) => self.challenge(index, &call.body),
            ("keys", Some(index)) => {
                Answered::Head(200, "application/cose", self.nodes[index].signed_keys())
            }
            ("relay", Some(index)) => self.relay(index, &call.body),
            _ => Answered::Head(404, "application/problem+json", Vec::new()),
        }
    }

    fn offers(&self) -> Answered {
        let nodes = self.nodes.iter().map(|node| {
            let name = &node.name;
            let shown = match self.fault() {
                Fault::OtherName => "another",
                _ => name,
            };
            format!(
                r#"{{"node":"{shown}","relay":"/n/{name}/relay","challenge":"/n/{name}/challenge","keys":"/n/{name}/keys","weight":1}}"#
            )
        });
        let offers = match self.fault() {
            Fault::BadOffers => "<html>".to_owned(),
            Fault::NoOffers => r#"{"offers":[]}"#.to_owned(),
            Fault::Unauthorized => {
                return Answered::Head(401, "application/problem+json", Vec::new());
            }
            Fault::Unreachable => {
                return Answered::Failed(Failure::Connect("refused".to_owned()));
            }
            _ => format!(r#"{{"offers":[{}]}}"#, nodes.collect::<Vec<_>>().join(",")),
        };
        Answered::Head(200, "application/json; charset=utf-8", offers.into_bytes())
    }

    fn challenge(&self, index: usize, nonce: &[u8]) -> Answered {
        let nonce = match self.fault() {
            Fault::OldEvidence => Nonce([0; 32]),
            _ => Nonce(nonce.try_into().unwrap()),
        };
        let mut bundle = self.nodes[index].bundle(&nonce);
        if self.fault() == Fault::NoKeys {
            bundle.key_configs = None;
        }
        let mut bytes = bundle.to_cbor();
        if self.fault() == Fault::TrailingByte {
            bytes.push(0);
        }
        Answered::Head(200, "application/cmw+cbor", bytes)
    }

    fn relay(&self, index: usize, envelope: &[u8]) -> Answered {
        const PROBLEM: &str = "application/problem+json";
        match self.fault() {
            Fault::Unavailable(nodes) if index < nodes => {
                return Answered::Head(503, PROBLEM, br#"{"title":"busy"}"#.to_vec());
            }
            Fault::Refused(nodes) if index < nodes => {
                return Answered::Failed(Failure::Connect("refused".to_owned()));
            }
            Fault::Absent(nodes) if index < nodes => {
                let problem = br#"{"code":"gateway.unknown_node"}"#;
                return Answered::Head(404, PROBLEM, problem.to_vec());
            }
            Fault::EnvelopeRefused => {
                let problem = br#"{"code":"runtime.envelope"}"#;
                return Answered::Head(400, PROBLEM, problem.to_vec());
            }
            Fault::Status(status) => return Answered::Head(status, PROBLEM, Vec::new()),
            Fault::MediaType => return Answered::Head(200, "text/html", Vec::new()),
            Fault::Broken => return Answered::Failed(Failure::Broken("reset".to_owned())),
            Fault::Silent => return Answered::Failed(Failure::TimedOut),
            Fault::KeyProblem => self.nodes[index].rotate(),
            _ => {}
        }
        match self.nodes[index].open(envelope) {
            Ok((request, responder)) => {
                let parts = self.nodes[index].respond(&request, responder);
                Answered::Head(200, protocol::RESPONSE_MEDIA_TYPE, parts.concat())
            }
            Err(error) => {
                let kind = error.problem_type().unwrap_or("about:blank");
                let problem = format!(r#"{{"type":"{kind}"}}"#);
                Answered::Head(error.status(), PROBLEM, problem.into_bytes())
            }
        }
    }
}

/// A session that trusts the node's vendor.
pub(crate) fn open(
    node: &Node,
    policy: &[u8],
    keys: &[&[u8]],
    remembered: Option<&[u8]>,
) -> Result<Session, SessionError> {
    let composition = Composition {
        verifier: node.machine.verifier(),
        policy: accepting_custom,
        random,
    };
    Session::open(composition, &settings(policy, keys), remembered)
}

pub(crate) fn settings<'a>(policy: &'a [u8], policy_keys: &'a [&'a [u8]]) -> Settings<'a> {
    Settings {
        policy,
        beside: Beside {
            roots: None,
            inventory: None,
            orders: None,
            timestamp: None,
        },
        policy_root: None,
        policy_keys,
        threshold: None,
        residency: None,
        cache_secret: None,
        now: now(),
    }
}

pub(crate) fn random(bytes: &mut [u8]) -> bool {
    aws_lc_rs::rand::fill(bytes).is_ok()
}

/// A question of the model, streamed or not.
pub(crate) fn chat(is_stream: bool) -> Request {
    said(&format!(
        r#"{{"model":"{MODEL}","stream":{is_stream},"messages":[]}}"#
    ))
}

pub(crate) fn said(body: &str) -> Request {
    let body = Zeroizing::new(body.as_bytes().to_vec());
    Request::new(
        "POST",
        "/v1/chat/completions",
        Some("application/json"),
        body,
    )
    .unwrap()
}

/// A public key as `openssl pkey -pubout` writes it.
pub(crate) fn pem(key: &[u8; 32]) -> Vec<u8> {
    use base64::{Engine, engine::general_purpose::STANDARD};
    let mut der = hex::decode("302a300506032b6570032100").unwrap();
    der.extend_from_slice(key);
    let text = STANDARD.encode(der);
    format!("-----BEGIN PUBLIC KEY-----\n{text}\n-----END PUBLIC KEY-----\n").into_bytes()
}
