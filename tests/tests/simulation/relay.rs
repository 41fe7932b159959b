//! A relay that does not do as it should: it delivers envelopes twice, late, elsewhere, or keeps them back. It stands between the
//! gateway and the nodes, and keeps the ledger of what nodes answered.

use super::{
    dice::Dice,
    network,
    scenario::{HEAL, NODES},
};
use attestation::crypto::sha256;
use bytes::Bytes;
use http_body_util::{BodyExt, Full};
use hyper::body::Incoming;
use hyper::http::{Request, Response, StatusCode, header::CONTENT_TYPE};
use hyper_util::{
    client::legacy::Client,
    rt::{TokioExecutor, TokioTimer},
};
use listener::{Body, Limits, body};
use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex},
    time::Duration,
};

/// The relay's port for the first node; the others follow.
pub(crate) const FIRST_PORT: u16 = 8001;
const MAX_BODY_BYTES: usize = 1 << 20;
const BODY_TIMEOUT: Duration = Duration::from_secs(30);

/// What is done with an envelope.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Trick {
    /// Passed on.
    Honest,
    /// Posted twice at once; one of the two answers goes back.
    TwiceAtOnce,
    /// Passed on, and posted once more after a while.
    Again(Duration),
    /// Passed on, and posted to another node.
    Elsewhere,
    /// The client is told that the node is busy; the envelope is posted after a while.
    KeptBack(Duration),
}

/// One envelope's life.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Envelope {
    /// Times that it was posted.
    pub(crate) posted: usize,
    /// Times that a node answered it with a sealed answer.
    pub(crate) answered: usize,
}

/// What crossed the relay.
#[derive(Default)]
pub(crate) struct Ledger {
    pub(crate) envelopes: BTreeMap<[u8; 32], Envelope>,
    /// Codes of the nodes' refusals, and how often.
    pub(crate) refusals: BTreeMap<String, usize>,
    /// For each envelope that was posted when its keys had to be gone: whether it was answered.
    pub(crate) after_grace: Vec<bool>,
}

pub(crate) struct Relay {
    client: Client<client::Connector, Full<Bytes>>,
    dice: Mutex<Dice>,
    /// From when on an envelope's keys are gone for certain.
    keys_gone: Duration,
    pub(crate) ledger: Arc<Mutex<Ledger>>,
}

impl Relay {
    pub(crate) fn new(dice: Dice, keys_gone: Duration, ledger: Arc<Mutex<Ledger>>) -> Arc<Self> {
        let client = Client::builder(TokioExecutor::new())
            .pool_timer(TokioTimer::new())
            .pool_idle_timeout(Duration::from_secs(5))
            .build(network::connector());
        Arc::new(Self {
            client,
            dice: Mutex::new(dice),
            keys_gone,
            ledger,
        })
    }

    /// Serves one port for each node.
    pub(crate) async fn serve(self: Arc<Self>) -> turmoil::Result {
        let mut serving = tokio::task::JoinSet::new();
        for (node, port) in NODES.into_iter().zip(FIRST_PORT..) {
            let (relay, socket) = (Arc::clone(&self), network::Socket::bind(port).await?);
            let service = move |request| Arc::clone(&relay).pass(node, request);
            let never = std::future::pending();
            serving.spawn(listener::serve(
                socket,
                None,
                Limits::default(),
                service,
                never,
            ));
        }
        while serving.join_next().await.is_some() {}
        Ok(())
    }

    async fn pass(
        self: Arc<Self>,
        node: &'static str,
        request: Request<Incoming>,
    ) -> Response<Body> {
        let (head, body) = request.into_parts();
        let Ok(body) = listener::read_body(body, MAX_BODY_BYTES, BODY_TIMEOUT).await else {
            return status(StatusCode::BAD_REQUEST);
        };
        if head.uri.path() != "/narthex/v1/sealed" {
            let mut request = Request::new(Full::new(body));
            *request.method_mut() = head.method;
            return self.send(node, head.uri.path(), request).await;
        }
        let trick = self.draw();
        self.play(trick, node, body).await
    }

    /// From the end of all faults on it is honest.
    fn draw(&self) -> Trick {
        if turmoil::sim_elapsed().is_some_and(|now| now >= HEAL) {
            return Trick::Honest;
        }
        let mut dice = self.dice.lock().unwrap();
        match dice.number(0..100) {
            0..60 => Trick::Honest,
            60..75 => Trick::TwiceAtOnce,
            75..85 => Trick::Again(dice.millis(1..40_000)),
            85..90 => Trick::Elsewhere,
            90..95 => Trick::KeptBack(dice.millis(1..5_000)),
            _ => Trick::KeptBack(self.keys_gone),
        }
    }

    async fn play(
        self: Arc<Self>,
        trick: Trick,
        node: &'static str,
        envelope: Bytes,
    ) -> Response<Body> {
        match trick {
            Trick::Honest => self.post(node, envelope).await,
            Trick::TwiceAtOnce => {
                let (one, other) =
                    tokio::join!(self.post(node, envelope.clone()), self.post(node, envelope));
                let (back, left) = if self.dice.lock().unwrap().percent(50) {
                    (one, other)
                } else {
                    (other, one)
                };
                tokio::spawn(left.into_body().collect());
                back
            }
            Trick::Again(pause) => {
                self.later(pause, node, envelope.clone());
                self.post(node, envelope).await
            }
            Trick::Elsewhere => {
                let other = NODES.into_iter().find(|other| *other != node).unwrap();
                self.later(Duration::ZERO, other, envelope.clone());
                self.post(node, envelope).await
            }
            Trick::KeptBack(pause) => {
                self.later(pause, node, envelope);
                status(StatusCode::SERVICE_UNAVAILABLE)
            }
        }
    }

    fn later(self: &Arc<Self>, pause: Duration, node: &'static str, envelope: Bytes) {
        let relay = Arc::clone(self);
        tokio::spawn(async move {
            tokio::time::sleep(pause).await;
            let answer = relay.post(node, envelope).await;
            if pause >= relay.keys_gone {
                let answered = answer.status() == StatusCode::OK;
                relay.ledger.lock().unwrap().after_grace.push(answered);
            }
            let _ = answer.into_body().collect().await;
        });
    }

    /// Posts an envelope and writes down what comes of it.
    async fn post(&self, node: &'static str, envelope: Bytes) -> Response<Body> {
        let name = sha256(&envelope);
        self.ledger
            .lock()
            .unwrap()
            .envelopes
            .entry(name)
            .or_default()
            .posted += 1;
        let mut request = Request::post("/").body(Full::new(envelope)).unwrap();
        let media_type = protocol::REQUEST_MEDIA_TYPE.parse().unwrap();
        request.headers_mut().insert(CONTENT_TYPE, media_type);
        let answer = self.send(node, "/narthex/v1/sealed", request).await;
        if answer.status() == StatusCode::OK {
            self.ledger
                .lock()
                .unwrap()
                .envelopes
                .entry(name)
                .or_default()
                .answered += 1;
            return answer;
        }
        self.refused(answer).await
    }

    /// Notes the code of a refusal, and gives it back as it was.
    async fn refused(&self, answer: Response<Body>) -> Response<Body> {
        let (head, body) = answer.into_parts();
        let Ok(body) = body.collect().await else {
            return status(StatusCode::BAD_GATEWAY);
        };
        let bytes = body.to_bytes();
        let problem: serde_json::Value = serde_json::from_slice(&bytes).unwrap_or_default();
        let code = problem["code"].as_str().unwrap_or("unreachable").to_owned();
        *self
            .ledger
            .lock()
            .unwrap()
            .refusals
            .entry(code)
            .or_default() += 1;
        Response::from_parts(head, body::full(bytes))
    }

    async fn send(
        &self,
        node: &'static str,
        path: &str,
        mut request: Request<Full<Bytes>>,
    ) -> Response<Body> {
        *request.uri_mut() = format!("http://{node}:80{path}").parse().unwrap();
        match self.client.request(request).await {
            Ok(answer) => answer.map(body::streaming),
            Err(_) => status(StatusCode::BAD_GATEWAY),
        }
    }
}

fn status(status: StatusCode) -> Response<Body> {
    let mut response = Response::new(body::full(r#"{"title":"the relay says so"}"#));
    *response.status_mut() = status;
    let media_type = "application/problem+json".parse().unwrap();
    response.headers_mut().insert(CONTENT_TYPE, media_type);
    response
}
