//! A synthetic node: evidence of a simulated machine, and answers that are records at a steady pace until they are told to end.

use super::{
    Load,
    record::{Place, record},
};
use crate::fleet::{Node, SNP_NODE};
use attestation::{CollateralBundle, EvidenceProvider, Manifest, Nonce, UnixTime};
use bytes::Bytes;
use hyper::{
    Request, Response, StatusCode,
    body::{Body as HttpBody, Frame, Incoming},
    header::{CONTENT_TYPE, HeaderValue},
};
use listener::{Body, BoxError, Limits, body};
use protocol::{IdentitySecret, KeyConfigs, KeyEpoch, SignedKeyConfigs};
use std::{
    io,
    net::SocketAddr,
    pin::Pin,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    task::{Context, Poll, ready},
    time::Duration,
};
use tokio::{
    net::TcpListener,
    time::{Interval, MissedTickBehavior},
};

/// Longest envelope taken, and how long it may take.
const MAX_ENVELOPE_BYTES: usize = 1 << 16;
const PATIENCE: Duration = Duration::from_secs(60);
const KEYS_SECONDS: u64 = 3600;

/// The node; it stops with the tokio runtime that it was started on.
pub(super) struct Upstream {
    pub(super) address: SocketAddr,
    state: Arc<State>,
}

struct State {
    machine: Arc<dyn EvidenceProvider>,
    collateral: CollateralBundle,
    identity: IdentitySecret,
    manifest: Vec<u8>,
    keys: SignedKeyConfigs,
    pace: Duration,
    streams: AtomicU64,
    records: AtomicU64,
    /// Streams of a wave below this one end with their next record.
    wave: AtomicU64,
}

impl Upstream {
    /// Listens on a free loopback port for as many connections as `load` has streams.
    pub(super) async fn start(node: Node, load: &Load, now: UnixTime) -> io::Result<Self> {
        let socket = TcpListener::bind(("127.0.0.1", 0)).await?;
        let address = socket.local_addr()?;
        let state = Arc::new(State::new(node, load.pace, now));
        let limits = Limits {
            max_connections: load.streams + 64,
            ..Limits::default()
        };
        let shared = Arc::clone(&state);
        let service = move |request| answer(Arc::clone(&shared), request);
        tokio::spawn(listener::serve(
            socket,
            None,
            limits,
            service,
            std::future::pending(),
        ));
        Ok(Self { address, state })
    }

    /// Has every stream that is under way end with its next record.
    pub(super) fn end_streams(&self) {
        self.state.wave.fetch_add(1, Ordering::AcqRel);
    }

    /// Records sent so far.
    pub(super) fn records(&self) -> u64 {
        self.state.records.load(Ordering::Acquire)
    }
}

impl State {
    fn new(node: Node, pace: Duration, now: UnixTime) -> Self {
        let identity = IdentitySecret::generate();
        let manifest = manifest().to_cbor();
        let keys = KeyConfigs {
            identity: identity.public().digest(),
            manifest: Manifest::digest(&manifest),
            node: SNP_NODE.to_owned(),
            epoch: 1,
            not_before: UnixTime(now.0.saturating_sub(60)),
            expires: now.plus(KEYS_SECONDS),
            policy_version: 1,
            policy_digest: [0; 32],
            configs: KeyEpoch::generate(1, 1).ohttp_keys(),
        };
        Self {
            machine: node.machine,
            collateral: node.collateral,
            keys: keys.sign(&identity),
            identity,
            manifest,
            pace,
            streams: AtomicU64::new(0),
            records: AtomicU64::new(0),
            wave: AtomicU64::new(0),
        }
    }

    fn bundle(&self, nonce: &Nonce) -> Vec<u8> {
        let mut bundle = tee_sim::bundle(
            self.machine.as_ref(),
            self.identity.public(),
            self.manifest.clone(),
            nonce,
        );
        bundle.collateral = Some(self.collateral.to_cbor());
        bundle.key_configs = Some(self.keys.as_bytes().to_vec());
        bundle.to_cbor()
    }
}

async fn answer(state: Arc<State>, request: Request<Incoming>) -> Response<Body> {
    let path = request.uri().path().to_owned();
    let Ok(sent) = listener::read_body(request.into_body(), MAX_ENVELOPE_BYTES, PATIENCE).await
    else {
        return problem();
    };
    match path.as_str() {
        "/narthex/v1/challenge" => match <[u8; 32]>::try_from(&*sent) {
            Ok(nonce) => {
                let bundle = state.bundle(&Nonce(nonce));
                good("application/cmw+cbor", body::full(bundle))
            }
            Err(_) => problem(),
        },
        "/narthex/v1/keys" => {
            let keys = state.keys.as_bytes().to_vec();
            good("application/cose", body::full(keys))
        }
        "/narthex/v1/sealed" => {
            let records = body::streaming(Records::begin(state));
            good(protocol::RESPONSE_MEDIA_TYPE, records)
        }
        _ => problem(),
    }
}

fn good(media_type: &'static str, body: Body) -> Response<Body> {
    let mut response = Response::new(body);
    let media_type = HeaderValue::from_static(media_type);
    response.headers_mut().insert(CONTENT_TYPE, media_type);
    response
}

fn problem() -> Response<Body> {
    let mut response = good("application/problem+json", body::empty());
    *response.status_mut() = StatusCode::BAD_REQUEST;
    response
}

/// One stream.
struct Records {
    state: Arc<State>,
    stream: u64,
    wave: u64,
    next: u64,
    ticks: Interval,
    place: Place,
}

impl Records {
    fn begin(state: Arc<State>) -> Self {
        let mut ticks = tokio::time::interval(state.pace);
        ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
        Self {
            stream: state.streams.fetch_add(1, Ordering::AcqRel),
            wave: state.wave.load(Ordering::Acquire),
            next: 0,
            ticks,
            place: Place::Within,
            state,
        }
    }
}

impl HttpBody for Records {
    type Data = Bytes;
    type Error = BoxError;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, BoxError>>> {
        if self.place == Place::Last {
            return Poll::Ready(None);
        }
        ready!(self.ticks.poll_tick(cx));
        if self.state.wave.load(Ordering::Acquire) > self.wave {
            self.place = Place::Last;
        }
        let record = record(self.stream, self.next, self.place);
        self.next += 1;
        self.state.records.fetch_add(1, Ordering::AcqRel);
        Poll::Ready(Some(Ok(Frame::data(record.into()))))
    }
}

fn manifest() -> Manifest {
    Manifest {
        runtime_version: "0".to_owned(),
        runtime_digest: [1; 32],
        model: super::MODEL.to_owned(),
        model_digest: super::MODEL_DIGEST,
        tokenizer_digest: [3; 32],
        template_digest: [4; 32],
        aibom_digest: None,
        kernels_digest: [5; 32],
        engine: "synthetic".to_owned(),
        isa: "none".to_owned(),
        max_context_tokens: 1,
        max_request_bytes: 1 << 20,
        padding: "default".to_owned(),
        policy_root: [6; 32],
        gpu: None,
    }
}
