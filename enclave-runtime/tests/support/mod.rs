//! A whole runtime in this process: simulated evidence, a scripted engine, a client that verifies before it seals.
#![allow(
    dead_code,
    unreachable_pub,
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::disallowed_methods,
    reason = "tests share this; not every test uses all of it, and the simulated vendor must be admitted"
)]

pub mod engine;
pub mod http;
pub mod published;
pub mod tenant;

use self::engine::ScriptedEngine;
use self::http::{Answer, Outer};
use attestation::{EvidenceBundle, Nonce, UnixTime, snp::Product};
use enclave_runtime::{Clock, Limits, Obedience, Parts, Runtime, StartError};
use listener::Drained;
use policy::{Admitted, Appraiser, InForce, Policy};
use protocol::{
    OpenError, Opener, Receipt, ResponseEvent, Sealer, SignedKeyConfigs, client::ClientRequest,
};
use serde_json::Value;
use std::{
    net::SocketAddr,
    sync::{
        Arc, LazyLock,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};
use tee_sim::{Machine, PolicySigner, PolicyText, Vendor, policy_text::demo_policy};
use tokio::{net::TcpListener, sync::oneshot, task::JoinHandle, time::Instant};

/// 2026-11-22T00:00:00Z.
pub const NOW: UnixTime = UnixTime(1_795_305_600);
pub const MODEL: &str = engine::MODEL;

/// Inventing a vendor makes two RSA keys of 4096 bits, which takes a while: once for each file of tests.
static VENDOR: LazyLock<Vendor> = LazyLock::new(|| Vendor::invent(Product::Genoa));

/// A runtime that serves until it is stopped.
pub struct Stack {
    pub address: SocketAddr,
    pub engine: Arc<ScriptedEngine>,
    /// The wall clock.
    pub clock: Arc<AtomicU64>,
    /// Seconds of the monotonic clock since the start.
    pub elapsed: Arc<AtomicU64>,
    /// Hands later documents to the runtime.
    pub obedience: Obedience,
    appraiser: Appraiser,
    stop: Option<oneshot::Sender<()>>,
    served: Option<JoinHandle<Drained>>,
}

/// A runtime that waits to be served, and who admits it.
pub struct Prepared {
    pub runtime: Runtime,
    pub appraiser: Appraiser,
    pub engine: Arc<ScriptedEngine>,
    pub clock: Arc<AtomicU64>,
    pub elapsed: Arc<AtomicU64>,
}

/// What came out of one sealed exchange.
pub struct Opened {
    pub status: u16,
    pub headers: Vec<(String, Vec<u8>)>,
    pub body: Vec<u8>,
    pub receipt: Result<Receipt, OpenError>,
    /// The authentic receipt of an answer that is not whole.
    pub unfinished: Option<Receipt>,
}

impl Stack {
    pub async fn start() -> Self {
        Self::with(ScriptedEngine::default(), |_| ()).await
    }

    pub async fn with(engine: ScriptedEngine, edit: impl FnOnce(&mut Parts)) -> Self {
        Self::of(prepare(engine, edit)).await
    }

    /// One that obeys these documents.
    pub async fn under(in_force: InForce, engine: ScriptedEngine) -> Self {
        Self::of(prepare_under(in_force, engine, |_| ()).unwrap()).await
    }

    pub async fn of(prepared: Prepared) -> Self {
        let socket = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = socket.local_addr().unwrap();
        let (stop, stopped) = oneshot::channel::<()>();
        let obedience = prepared.runtime.obedience();
        let served = prepared.runtime.serve(socket, async {
            let _ = stopped.await;
        });
        Self {
            address,
            served: Some(tokio::spawn(served)),
            stop: Some(stop),
            engine: prepared.engine,
            clock: prepared.clock,
            elapsed: prepared.elapsed,
            appraiser: prepared.appraiser,
            obedience,
        }
    }

    /// One of a runtime that was made elsewhere, whose engine nobody looks at.
    pub async fn of_runtime(runtime: Runtime, appraiser: Appraiser) -> Self {
        Self::of(Prepared {
            runtime,
            appraiser,
            engine: Arc::new(ScriptedEngine::default()),
            clock: Arc::new(AtomicU64::new(NOW.0)),
            elapsed: Arc::new(AtomicU64::new(0)),
        })
        .await
    }

    pub fn now(&self) -> UnixTime {
        UnixTime(self.clock.load(Ordering::SeqCst))
    }

    pub fn turn_clock(&self, now: UnixTime) {
        self.clock.store(now.0, Ordering::SeqCst);
    }

    /// Lets `seconds` pass on the monotonic clock, whatever the wall clock says.
    pub fn pass(&self, seconds: u64) {
        self.elapsed.fetch_add(seconds, Ordering::SeqCst);
    }

    /// Tells the runtime to stop.
    pub fn tell_to_stop(&mut self) {
        let _ = self.stop.take().unwrap().send(());
    }

    /// Waits for the end of the runtime.
    pub async fn stopped(mut self) -> Drained {
        self.served.take().unwrap().await.unwrap()
    }

    pub async fn send(&self, outer: Outer<'_>) -> Answer {
        http::send(self.address, outer).await
    }

    /// Challenges the node and admits it.
    pub async fn admit(&self) -> (Admitted, SignedKeyConfigs) {
        let nonce = Nonce([0x42; 32]);
        let answer = self
            .send(Outer::post("/narthex/v1/challenge", &nonce.0))
            .await;
        assert_eq!(answer.status, 200);
        let bundle = EvidenceBundle::from_cbor(&answer.body).unwrap();
        let admitted = self
            .appraiser
            .appraise(&bundle, &nonce, self.now())
            .unwrap();
        (
            admitted,
            SignedKeyConfigs::from_bytes(bundle.key_configs.unwrap()),
        )
    }

    /// A sealer to this node, after a challenge.
    pub async fn sealer(&self) -> Sealer {
        let (admitted, keys) = self.admit().await;
        Sealer::new(&admitted, &keys, self.now()).unwrap()
    }

    /// Posts an envelope.
    pub async fn post(&self, envelope: &[u8]) -> Answer {
        let outer =
            Outer::post("/narthex/v1/sealed", envelope).media_type(protocol::REQUEST_MEDIA_TYPE);
        self.send(outer).await
    }

    /// Seals `request`, posts it, opens the answer.
    pub async fn exchange(&self, request: &ClientRequest<'_>) -> Opened {
        let (sealed, opener) = self.sealer().await.seal(request, self.now()).unwrap();
        let answer = self.post(&sealed.envelope).await;
        assert_eq!(
            answer.status,
            200,
            "{}",
            String::from_utf8_lossy(&answer.body)
        );
        open(opener, &answer.body)
    }

    /// A sealed POST of JSON with the right model.
    pub async fn ask(&self, path: &str, body: &str) -> Opened {
        self.exchange(&json_request(path, body)).await
    }
}

/// The policy's text, which admits the machine of these tests.
pub fn policy_text() -> PolicyText {
    let machine = Machine::new(&VENDOR);
    demo_policy(&machine, UnixTime(0), UnixTime(NOW.0 + 1_000_000))
}

/// This policy under a key of its own, with nothing beside it.
pub fn signed(toml: &str) -> InForce {
    let signer = PolicySigner::generate();
    let root = signer.trust_root();
    let policy = Policy::from_envelope(&signer.signed_policy(toml), &root).unwrap();
    InForce::under_keys(policy, root)
}

/// `[[tenants]]` of a policy.
pub fn tenants(keys: &[[u8; 32]]) -> String {
    let entry = |(number, key): (usize, &[u8; 32])| {
        let key = hex::encode(key);
        format!("[[tenants]]\nname = \"tenant {number}\"\nkey = \"{key}\"\n")
    };
    keys.iter().enumerate().map(entry).collect()
}

pub fn prepare(engine: ScriptedEngine, edit: impl FnOnce(&mut Parts)) -> Prepared {
    prepare_under(signed(&policy_text().to_toml()), engine, edit).unwrap()
}

/// Of a node under a policy of its own.
pub fn parts() -> Parts {
    Parts {
        node: "node-1".to_owned(),
        in_force: signed(&policy_text().to_toml()),
        residency: Some("FR".to_owned()),
        aibom_digest: None,
        collateral: None,
        padding: protocol::PaddingProfile::Off,
        runtime_digest: [7; 32],
        gpu: None,
        limits: Limits::default(),
    }
}

pub fn prepare_under(
    in_force: InForce,
    engine: ScriptedEngine,
    edit: impl FnOnce(&mut Parts),
) -> Result<Prepared, StartError> {
    let machine = Machine::new(&VENDOR);
    let mut parts = Parts {
        in_force: in_force.clone(),
        ..parts()
    };
    edit(&mut parts);
    let in_force = in_force.map_policy(policy::danger::accept_custom_anchors);
    let appraiser = Appraiser::new(machine.verifier(), in_force);
    let engine = Arc::new(engine);
    let clock = Arc::new(AtomicU64::new(NOW.0));
    let hand = Arc::clone(&clock);
    let elapsed = Arc::new(AtomicU64::new(0));
    let (start, seconds) = (Instant::now(), Arc::clone(&elapsed));
    let turned = Clock::from_sources(
        move || UnixTime(hand.load(Ordering::SeqCst)),
        move || start + Duration::from_secs(seconds.load(Ordering::SeqCst)),
    );
    let runtime = Runtime::new(parts, engine.clone(), Arc::new(machine), turned)?;
    Ok(Prepared {
        runtime,
        appraiser,
        engine,
        clock,
        elapsed,
    })
}

/// A sealer to the node whose bundle over `nonce` this is.
pub fn sealer(appraiser: &Appraiser, bundle: &[u8], nonce: Nonce) -> Sealer {
    let bundle = EvidenceBundle::from_cbor(bundle).unwrap();
    let admitted = appraiser.appraise(&bundle, &nonce, NOW).unwrap();
    let keys = SignedKeyConfigs::from_bytes(bundle.key_configs.unwrap());
    Sealer::new(&admitted, &keys, NOW).unwrap()
}

pub fn json_request<'a>(path: &'a str, body: &'a str) -> ClientRequest<'a> {
    ClientRequest {
        method: "POST",
        path,
        content_type: Some("application/json"),
        body: body.as_bytes(),
        model: Some(MODEL),
        residency: None,
        request_id: [9; 16],
        tenant: None,
        cache_secret: None,
    }
}

pub fn get_request(path: &str) -> ClientRequest<'_> {
    ClientRequest {
        method: "GET",
        content_type: None,
        model: (path != "/v1/models").then_some(MODEL),
        ..json_request(path, "")
    }
}

/// A chat of one message, with `rest` behind it.
pub fn chat(rest: &str) -> String {
    format!(r#"{{"model":"{MODEL}","messages":[{{"role":"user","content":"abc"}}]{rest}}}"#)
}

pub fn open(mut opener: Opener, body: &[u8]) -> Opened {
    let identity = *opener.identity();
    let mut events = opener.push(body).unwrap();
    let end = opener.finish().map(|last| events.extend(last));
    let unfinished = opener.unfinished();
    let mut opened = Opened {
        status: 0,
        headers: Vec::new(),
        body: Vec::new(),
        receipt: Err(OpenError::Truncated),
        unfinished: unfinished.map(|receipt| receipt.verify(&identity).unwrap()),
    };
    if let Err(error) = end {
        opened.receipt = Err(error);
    }
    for event in events {
        match event {
            ResponseEvent::Head { status, headers } => {
                (opened.status, opened.headers) = (status, headers)
            }
            ResponseEvent::Body(part) => opened.body.extend(part),
            ResponseEvent::End { receipt } => {
                opened.receipt = Ok(receipt.verify(&identity).unwrap())
            }
        }
    }
    opened
}

impl Opened {
    pub fn json(&self) -> Value {
        serde_json::from_slice(&self.body).unwrap()
    }

    pub fn text(&self) -> &str {
        str::from_utf8(&self.body).unwrap()
    }

    /// The status and the code of an error.
    pub fn error(&self) -> (u16, String) {
        (
            self.status,
            self.json()["error"]["code"].as_str().unwrap().to_owned(),
        )
    }

    /// The events of a stream, without the last.
    pub fn events(&self) -> Vec<Value> {
        let text = self.text().strip_suffix("data: [DONE]\n\n").unwrap();
        let events = text.split_terminator("\n\n");
        events
            .map(|event| serde_json::from_str(event.strip_prefix("data: ").unwrap()).unwrap())
            .collect()
    }

    pub fn header(&self, name: &str) -> Option<&str> {
        let found = self.headers.iter().find(|(header, _)| header == name);
        found.map(|(_, value)| str::from_utf8(value).unwrap())
    }
}
