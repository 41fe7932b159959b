//! A gateway with one or two nodes behind it, as small as the wire contract allows: real evidence formats of an invented vendor, real
//! sealed answers, and faults to choose from.

#![allow(
    dead_code,
    unused_imports,
    reason = "every test binary uses another part of this module"
)]

mod node;

pub(crate) use node::{MODEL, Node, accepting_custom};

use attestation::UnixTime;
use bytes::Bytes;
use futures_util::StreamExt;
use http::{Request, Response, StatusCode};
use hyper::body::Incoming;
use listener::{Body, Limits, body};
use std::{
    collections::{BTreeMap, BTreeSet},
    sync::{
        Arc, Mutex,
        atomic::{AtomicUsize, Ordering},
    },
    time::{Duration, SystemTime, UNIX_EPOCH},
};
use tokio::net::TcpListener;

/// What goes wrong.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Fault {
    /// The relay path of the node with this index answers 503.
    Unavailable(usize),
    /// The relay paths of all nodes do.
    AllUnavailable,
    /// The sealed answer ends, as HTTP sees it, before its authenticated end.
    DropEnd,
    /// The connection breaks in the middle of the sealed answer.
    BreakOff,
    /// One bit of the sealed answer is flipped.
    FlipBit,
    /// A challenge is answered with the evidence for another nonce.
    OldEvidence,
    /// The key list in the evidence is signed by another identity.
    OtherKeys,
    /// The relay path answers 401.
    Unauthorized,
    /// The offers are not JSON.
    BadOffers,
    /// The evidence bundle has a byte too many.
    TrailingByte,
    /// The runtime refuses the envelope, as after a restart under the same key id.
    EnvelopeRefused,
    /// The same, once.
    EnvelopeRefusedOnce,
    /// The node with this index goes away in the middle of its answer: from then on the gateway does not reach it.
    Dies(usize),
    /// The node with this index answers challenges with evidence for another nonce.
    BadEvidence(usize),
    /// The relay path answers with the key problem, whatever the key.
    KeyProblem,
    /// What asks for the policy's documents gets no answer.
    SilentPolicy,
}

/// A running gateway.
pub(crate) struct Gateway {
    pub(crate) url: String,
    pub(crate) nodes: Vec<Arc<Node>>,
    shared: Arc<Shared>,
}

struct Shared {
    nodes: Vec<Arc<Node>>,
    fault: Mutex<Option<Fault>>,
    calls: Mutex<BTreeMap<&'static str, usize>>,
    relayed: AtomicUsize,
    /// Nodes that the gateway does not reach.
    dead: Mutex<BTreeSet<usize>>,
    /// The order in which nodes are offered.
    order: Mutex<Vec<usize>>,
    /// What it hands out of its policy.
    published: Mutex<BTreeMap<String, Vec<u8>>>,
    /// What it says of every node; `None`: it has no such route.
    verdict: Mutex<Option<serde_json::Value>>,
    /// What clients said, with the node's name.
    reports: Mutex<Vec<(String, serde_json::Value)>>,
}

impl Gateway {
    /// On a free loopback port; it ends with the test's runtime.
    pub(crate) async fn start(nodes: Vec<Node>) -> Self {
        let socket = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}", socket.local_addr().unwrap());
        let nodes: Vec<_> = nodes.into_iter().map(Arc::new).collect();
        let shared = Arc::new(Shared {
            dead: Mutex::default(),
            published: Mutex::default(),
            verdict: Mutex::default(),
            reports: Mutex::default(),
            order: Mutex::new((0..nodes.len()).collect()),
            nodes: nodes.clone(),
            fault: Mutex::new(None),
            calls: Mutex::default(),
            relayed: AtomicUsize::new(0),
        });
        let serving = Arc::clone(&shared);
        tokio::spawn(async move {
            let service = move |request| Arc::clone(&serving).answer(request);
            let never = std::future::pending();
            listener::serve(socket, None, Limits::default(), service, never).await
        });
        Self { url, nodes, shared }
    }

    pub(crate) fn fault(&self, fault: impl Into<Option<Fault>>) {
        *self.shared.fault.lock().unwrap() = fault.into();
    }

    /// Offers the nodes in this order from now on.
    pub(crate) fn offer_in_order(&self, order: &[usize]) {
        *self.shared.order.lock().unwrap() = order.to_vec();
    }

    /// The node with this index is reached again.
    pub(crate) fn revive(&self, index: usize) {
        self.shared.dead.lock().unwrap().remove(&index);
    }

    /// Hands out these files, by their names, and no others.
    pub(crate) fn publish(&self, files: impl IntoIterator<Item = (&'static str, Vec<u8>)>) {
        let files = files
            .into_iter()
            .map(|(name, bytes)| (name.to_owned(), bytes));
        *self.shared.published.lock().unwrap() = files.collect();
    }

    /// Says this of every node from now on.
    pub(crate) fn say(&self, verdict: serde_json::Value) {
        *self.shared.verdict.lock().unwrap() = Some(verdict);
    }

    /// What clients said of nodes so far.
    pub(crate) fn reports(&self) -> Vec<(String, serde_json::Value)> {
        self.shared.reports.lock().unwrap().clone()
    }

    /// How often this route was called: `offers`, `challenge`, `keys`, `relay`.
    pub(crate) fn calls(&self, route: &str) -> usize {
        *self.shared.calls.lock().unwrap().get(route).unwrap_or(&0)
    }
}

impl Shared {
    async fn answer(self: Arc<Self>, request: Request<Incoming>) -> Response<Body> {
        let path = request.uri().path().to_owned();
        let segments: Vec<&str> = path.trim_start_matches('/').split('/').collect();
        match segments[..] {
            ["narthex", "v1", "offers"] => self.offers(),
            ["narthex", "v1", "policy", name] => self.published(name).await,
            ["narthex", "v1", "nodes", node, route] => {
                let index = self.nodes.iter().position(|n| n.name == node);
                self.node(index.expect("an offered node"), route, request)
                    .await
            }
            _ => status(StatusCode::NOT_FOUND),
        }
    }

    fn offers(&self) -> Response<Body> {
        self.count("offers");
        if self.has(Fault::BadOffers) {
            return answer("application/json", "[]");
        }
        let order = self.order.lock().unwrap().clone();
        let offers: Vec<_> = order
            .into_iter()
            .map(|index| {
                let node = &self.nodes[index];
                let at = |route| format!("/narthex/v1/nodes/{}/{route}", node.name);
                serde_json::json!({
                    "node": node.name, "relay": at("relay"), "challenge": at("challenge"), "keys": at("keys"), "weight": 1,
                })
            })
            .collect();
        answer(
            "application/json",
            serde_json::json!({"offers": offers}).to_string(),
        )
    }

    async fn node(&self, index: usize, route: &str, request: Request<Incoming>) -> Response<Body> {
        let node = &self.nodes[index];
        let media_type = request.headers().get(http::header::CONTENT_TYPE).cloned();
        if media_type.as_ref().map(|given| given.as_bytes()) != posted_as(route) {
            return problem(415, None, "gateway.media_type");
        }
        let body = listener::read_body(request.into_body(), 1 << 24, Duration::from_secs(10))
            .await
            .unwrap();
        if self.dead.lock().unwrap().contains(&index) {
            return problem(502, None, "gateway.upstream_unreachable");
        }
        match route {
            "challenge" => self.challenge(index, &body),
            "keys" => {
                self.count("keys");
                answer("application/cose", node.signed_keys())
            }
            "relay" => self.relay(index, &body),
            "verdict" => self.verdict(&node.name, &body),
            _ => status(StatusCode::NOT_FOUND),
        }
    }

    async fn published(&self, name: &str) -> Response<Body> {
        self.count("policy");
        if self.has(Fault::SilentPolicy) {
            return std::future::pending().await;
        }
        let published = self.published.lock().unwrap();
        let file = published.get(name).cloned();
        file.map_or_else(
            || status(StatusCode::NOT_FOUND),
            |bytes| answer("application/json", bytes),
        )
    }

    fn verdict(&self, node: &str, report: &Bytes) -> Response<Body> {
        let report = serde_json::from_slice(report).unwrap();
        self.reports.lock().unwrap().push((node.to_owned(), report));
        let verdict = self.verdict.lock().unwrap().clone();
        verdict.map_or_else(
            || status(StatusCode::NOT_FOUND),
            |verdict| answer("application/json", verdict.to_string()),
        )
    }

    fn challenge(&self, index: usize, nonce: &Bytes) -> Response<Body> {
        self.count("challenge");
        let node = &self.nodes[index];
        let mut nonce = attestation::Nonce(nonce[..].try_into().unwrap());
        if self.has(Fault::OldEvidence) || self.has(Fault::BadEvidence(index)) {
            nonce.0[0] ^= 1;
        }
        let mut bundle = node.bundle(&nonce);
        if self.has(Fault::OtherKeys) {
            bundle.key_configs = Some(Node::new("node-a").signed_keys());
        }
        let mut bytes = bundle.to_cbor();
        if self.has(Fault::TrailingByte) {
            bytes.push(0);
        }
        answer("application/cmw+cbor", bytes)
    }

    fn relay(&self, index: usize, envelope: &Bytes) -> Response<Body> {
        self.count("relay");
        if self.has(Fault::Unavailable(index)) || self.has(Fault::AllUnavailable) {
            return status(StatusCode::SERVICE_UNAVAILABLE);
        }
        if self.has(Fault::Unauthorized) {
            return status(StatusCode::UNAUTHORIZED);
        }
        if self.has(Fault::KeyProblem) {
            let kind = "https://iana.org/assignments/http-problem-types#ohttp-key";
            return problem(400, Some(kind), "runtime.key");
        }
        if self.has(Fault::EnvelopeRefused) || self.has_once(Fault::EnvelopeRefusedOnce) {
            return problem(400, None, "runtime.envelope");
        }
        self.relayed.fetch_add(1, Ordering::Relaxed);
        let (plaintext, responder) = match self.nodes[index].open(envelope) {
            Ok(opened) => opened,
            Err(error) => return envelope_problem(&error),
        };
        let mut parts = self.nodes[index].respond(&plaintext, responder);
        match *self.fault.lock().unwrap() {
            Some(Fault::DropEnd) => drop(parts.pop()),
            Some(Fault::FlipBit) => *parts.last_mut().unwrap().last_mut().unwrap() ^= 1,
            _ => {}
        }
        let dies = self.has_once(Fault::Dies(index));
        if dies {
            self.dead.lock().unwrap().insert(index);
        }
        let breaks = dies || self.has(Fault::BreakOff);
        sealed(parts, breaks)
    }

    fn has(&self, fault: Fault) -> bool {
        *self.fault.lock().unwrap() == Some(fault)
    }

    /// The same for a fault that strikes once.
    fn has_once(&self, fault: Fault) -> bool {
        let has = self.has(fault);
        if has {
            *self.fault.lock().unwrap() = None;
        }
        has
    }

    fn count(&self, route: &'static str) {
        *self.calls.lock().unwrap().entry(route).or_default() += 1;
    }
}

/// The media type of what is posted to this route; `None`: nothing is.
fn posted_as(route: &str) -> Option<&'static [u8]> {
    match route {
        "challenge" => Some(b"application/octet-stream"),
        "relay" => Some(protocol::REQUEST_MEDIA_TYPE.as_bytes()),
        "verdict" => Some(b"application/json"),
        _ => None,
    }
}

/// The sealed answer, part by part; broken off in the middle if `breaks`.
fn sealed(parts: Vec<Vec<u8>>, breaks: bool) -> Response<Body> {
    let kept = if breaks { parts.len() / 2 } else { parts.len() };
    let frames = parts
        .into_iter()
        .take(kept)
        .map(|part| Ok(hyper::body::Frame::data(Bytes::from(part))));
    let end = futures_util::stream::iter(breaks.then_some(())).then(|()| async {
        // What was sent before is to arrive before.
        tokio::time::sleep(Duration::from_millis(50)).await;
        Err(std::io::Error::other("broken off"))
    });
    let stream = futures_util::stream::iter(frames).chain(end);
    let mut response = Response::new(body::streaming(http_body_util::StreamBody::new(stream)));
    let media_type = protocol::RESPONSE_MEDIA_TYPE.parse().unwrap();
    response
        .headers_mut()
        .insert(http::header::CONTENT_TYPE, media_type);
    response
}

fn answer(media_type: &str, bytes: impl Into<Bytes>) -> Response<Body> {
    let mut response = Response::new(body::full(bytes));
    response
        .headers_mut()
        .insert(http::header::CONTENT_TYPE, media_type.parse().unwrap());
    response
}

fn status(status: StatusCode) -> Response<Body> {
    let mut response = Response::new(body::empty());
    *response.status_mut() = status;
    response
}

/// One answer for all but the unknown key, as the runtime gives it.
fn envelope_problem(error: &protocol::ReceiverError) -> Response<Body> {
    let code = match error.problem_type() {
        Some(_) => "runtime.key",
        None => "runtime.envelope",
    };
    problem(error.status(), error.problem_type(), code)
}

fn problem(status: u16, kind: Option<&str>, code: &str) -> Response<Body> {
    let kind = kind.unwrap_or("about:blank");
    let document = serde_json::json!({"type": kind, "title": "refused", "code": code});
    let mut response = answer("application/problem+json", document.to_string());
    *response.status_mut() = StatusCode::from_u16(status).unwrap();
    response
}

#[expect(
    clippy::disallowed_methods,
    reason = "the shipped binary reads the clock, so its test evidence begins now"
)]
pub(crate) fn now() -> UnixTime {
    UnixTime(
        SystemTime::now()
            .duration_since(UNIX_EPOCH)
            .unwrap()
            .as_secs(),
    )
}
