//! A fake node: real evidence of a simulated machine, canned answers to envelopes.

use super::{NOW, VENDOR};
use attestation::{Manifest, Nonce};
use bytes::Bytes;
use futures_util::{StreamExt, stream};
use http_body_util::{BodyExt, StreamBody};
use hyper::{
    HeaderMap, Request, Response, StatusCode,
    body::{Frame, Incoming},
    header::{CONTENT_TYPE, HeaderValue},
};
use listener::{Body, BoxError, Limits, body};
use protocol::KeyConfigs;
use std::{
    net::SocketAddr,
    pin::Pin,
    sync::{Arc, Mutex},
};
use tee_sim::Machine;
use tokio::net::TcpListener;

#[allow(clippy::disallowed_types, reason = "the fake node is a runtime")]
type IdentitySecret = protocol::IdentitySecret;

type Answer = Pin<Box<dyn Future<Output = Response<Body>> + Send>>;

/// What a node says about itself; a test is wrong in one point.
#[derive(Clone)]
pub struct Claims {
    pub node: String,
    pub expires: u64,
    pub policy_version: u64,
    pub keys: Keys,
    pub answer: Option<(StatusCode, &'static str, Bytes)>,
    pub fault: Option<Fault>,
}

/// How a node fails to answer.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Fault {
    Silent,
    BreaksOff,
}

impl Claims {
    pub fn good(node: &str) -> Self {
        Self {
            node: node.to_owned(),
            expires: NOW.0 + 100_000,
            policy_version: 7,
            keys: Keys::Own,
            answer: None,
            fault: None,
        }
    }
}

#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Keys {
    Own,
    Foreign,
    Absent,
}

/// What the node saw of one request.
#[derive(Clone, Debug)]
pub struct Seen {
    pub path: String,
    pub headers: HeaderMap,
    pub body: Bytes,
}

struct State {
    machine: Machine,
    identity: IdentitySecret,
    claims: Mutex<Claims>,
    seen: Mutex<Vec<Seen>>,
}

pub struct FakeNode {
    state: Arc<State>,
    name: String,
    address: SocketAddr,
}

impl FakeNode {
    /// A node that answers every envelope with `sealed answer`.
    pub async fn start(name: &str) -> Self {
        Self::serving(name, |_| async { sealed("sealed answer") }).await
    }

    /// A node that answers the envelopes with `serve`.
    pub async fn serving<S, F>(name: &str, serve: S) -> Self
    where
        S: Fn(Request<Incoming>) -> F + Send + Sync + 'static,
        F: Future<Output = Response<Body>> + Send + 'static,
    {
        let state = Arc::new(State {
            machine: Machine::new(&VENDOR),
            identity: IdentitySecret::generate(),
            claims: Mutex::new(Claims::good(name)),
            seen: Mutex::default(),
        });
        let socket = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = socket.local_addr().unwrap();
        let (shared, serve) = (Arc::clone(&state), Arc::new(serve));
        let service = move |request: Request<Incoming>| -> Answer {
            match request.uri().path() {
                "/narthex/v1/sealed" => Box::pin(serve(request)),
                _ => Box::pin(attest(Arc::clone(&shared), request)),
            }
        };
        tokio::spawn(listener::serve(
            socket,
            None,
            Limits::default(),
            service,
            std::future::pending(),
        ));
        Self {
            state,
            name: name.to_owned(),
            address,
        }
    }

    /// A node whose address refuses connections.
    pub async fn unreachable(name: &str) -> Self {
        let mut node = Self::start(name).await;
        // A port that no other test is given meanwhile.
        node.address = ([127, 0, 0, 1], 1).into();
        node
    }

    pub fn name(&self) -> &str {
        &self.name
    }

    pub const fn address(&self) -> SocketAddr {
        self.address
    }

    pub fn machine(&self) -> &Machine {
        &self.state.machine
    }

    pub fn claim(&self, edit: impl FnOnce(&mut Claims)) {
        edit(&mut self.state.claims.lock().unwrap());
    }

    /// Challenges and requests for keys, in order.
    pub fn seen(&self) -> Vec<Seen> {
        self.state.seen.lock().unwrap().clone()
    }
}

impl State {
    fn signed_keys(&self, signer: &IdentitySecret) -> Vec<u8> {
        let claims = self.claims.lock().unwrap().clone();
        let keys = KeyConfigs {
            identity: self.identity.public().digest(),
            manifest: Manifest::digest(&manifest()),
            node: claims.node,
            epoch: 1,
            not_before: attestation::UnixTime(NOW.0 - 1000),
            expires: attestation::UnixTime(claims.expires),
            policy_version: claims.policy_version,
            policy_digest: [7; 32],
            configs: ohttp_keys(),
        };
        keys.sign(signer).as_bytes().to_vec()
    }

    fn bundle(&self, nonce: &Nonce) -> Vec<u8> {
        let mut bundle = self
            .machine
            .bundle(self.identity.public(), manifest(), nonce);
        let keys = self.claims.lock().unwrap().keys;
        bundle.key_configs = match keys {
            Keys::Own => Some(self.signed_keys(&self.identity)),
            Keys::Foreign => Some(self.signed_keys(&IdentitySecret::generate())),
            Keys::Absent => None,
        };
        bundle.to_cbor()
    }
}

#[allow(clippy::disallowed_types, reason = "the fake node is a runtime")]
fn ohttp_keys() -> Vec<u8> {
    protocol::KeyEpoch::generate(1, 1).ohttp_keys()
}

async fn attest(state: Arc<State>, request: Request<Incoming>) -> Response<Body> {
    let (head, body) = request.into_parts();
    let body = body.collect().await.unwrap().to_bytes();
    let path = head.uri.path().to_owned();
    state.seen.lock().unwrap().push(Seen {
        path: path.clone(),
        headers: head.headers,
        body: body.clone(),
    });
    let fault = state.claims.lock().unwrap().fault;
    match fault {
        Some(Fault::Silent) => return std::future::pending().await,
        Some(Fault::BreaksOff) => return broken_off(),
        None => {}
    }
    let canned = state.claims.lock().unwrap().answer.clone();
    match (canned, path.as_str()) {
        (Some((status, media_type, body)), _) => answer(status, media_type, body::full(body)),
        (None, "/narthex/v1/challenge") => {
            let bundle = state.bundle(&Nonce(body[..].try_into().unwrap()));
            answer(StatusCode::OK, "application/cmw+cbor", body::full(bundle))
        }
        (None, "/narthex/v1/keys") => {
            let keys = state.signed_keys(&state.identity);
            answer(StatusCode::OK, "application/cose", body::full(keys))
        }
        (None, other) => panic!("the gateway asked for {other}"),
    }
}

fn broken_off() -> Response<Body> {
    let half = async { Ok(Frame::data(Bytes::from_static(b"half"))) };
    let end = async {
        // Gives way once, so that what there is goes out before the end.
        tokio::task::yield_now().await;
        Err(BoxError::from("the node dies"))
    };
    let parts = stream::once(half).chain(stream::once(end));
    let body = body::streaming(StreamBody::new(parts));
    answer(StatusCode::OK, "application/cmw+cbor", body)
}

pub fn answer(status: StatusCode, media_type: &'static str, body: Body) -> Response<Body> {
    let mut response = Response::new(body);
    *response.status_mut() = status;
    response
        .headers_mut()
        .insert(CONTENT_TYPE, HeaderValue::from_static(media_type));
    response
}

/// A good answer to an envelope.
pub fn sealed(content: &'static str) -> Response<Body> {
    answer(
        StatusCode::OK,
        protocol::RESPONSE_MEDIA_TYPE,
        body::full(content),
    )
}

/// A good answer that streams.
pub fn sealed_stream(body: Body) -> Response<Body> {
    answer(StatusCode::OK, protocol::RESPONSE_MEDIA_TYPE, body)
}

fn manifest() -> Vec<u8> {
    Manifest {
        runtime_version: "0.1.0".to_owned(),
        runtime_digest: [1; 32],
        model: "tiny".to_owned(),
        model_digest: [2; 32],
        tokenizer_digest: [3; 32],
        template_digest: [4; 32],
        aibom_digest: None,
        kernels_digest: [5; 32],
        engine: "cpu/deterministic".to_owned(),
        isa: "scalar".to_owned(),
        max_context_tokens: 2048,
        max_request_bytes: 1 << 20,
        padding: "off".to_owned(),
        policy_root: [6; 32],
        gpu: None,
    }
    .to_cbor()
}
