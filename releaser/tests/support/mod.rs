//! A releaser on loopback, a simulated node that asks it for a key, and what the releaser wrote down.
#![allow(
    dead_code,
    missing_docs,
    unreachable_pub,
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "shared by test binaries that each use a part; a test fails by panicking"
)]

pub mod http;
pub mod log;

use attestation::{Digest, EvidenceBundle, Manifest, Nonce, UnixTime, snp::Product};
use http::{Answer, post};
use policy::{Appraiser, InForce, Policy};
use protocol::{
    key_release::{KeyId, KeyListTerms, KeyRecipient, KeyRequest, ReleaseStatement},
    secret::Heap,
};
use provision::Clock;
use releaser::{KeyFolder, Limits, Releaser};
use sealed_model::ModelKey;
use std::{
    fs,
    net::SocketAddr,
    os::unix::fs::PermissionsExt,
    path::Path,
    sync::{
        Arc, LazyLock, Mutex,
        atomic::{AtomicU64, Ordering},
    },
};
use tee_sim::{Machine, PolicySigner, PolicyText, Vendor, policy_text::demo_policy};
use tempfile::TempDir;
use tokio::{net::TcpListener, sync::oneshot, task::JoinHandle};

/// 2026-06-01T00:00:00Z.
pub const NOW: UnixTime = UnixTime(1_780_272_000);
pub const POLICY_SECONDS: u64 = 1_000_000;
pub const CHALLENGE: &str = "/narthex/v1/model-key/challenge";
pub const RELEASE: &str = "/narthex/v1/model-key/release";

/// One vendor for a whole test binary: inventing one takes seconds.
pub static VENDOR: LazyLock<Vendor> = LazyLock::new(|| Vendor::invent(Product::Genoa));

/// What happens right after a look at a clock.
type Then = Box<dyn FnOnce(&HandClock) + Send>;

/// A clock that stands still until it is turned.
pub struct HandClock {
    seconds: AtomicU64,
    then: Mutex<Option<Then>>,
}

impl HandClock {
    fn at(time: UnixTime) -> Self {
        Self {
            seconds: AtomicU64::new(time.0),
            then: Mutex::default(),
        }
    }

    /// Has `then` happen once, right after the next look at it.
    pub fn after_a_look(&self, then: impl FnOnce(&Self) + Send + 'static) {
        *self.then.lock().unwrap() = Some(Box::new(then));
    }

    pub fn turn(&self, seconds: u64) {
        self.seconds.fetch_add(seconds, Ordering::SeqCst);
    }
}

impl Clock for HandClock {
    fn now(&self) -> UnixTime {
        let now = UnixTime(self.seconds.load(Ordering::SeqCst));
        let then = self.then.lock().unwrap().take();
        if let Some(then) = then {
            then(self);
        }
        now
    }
}

/// A running releaser with one key of one model.
pub struct Stack {
    pub address: SocketAddr,
    pub clock: Arc<HandClock>,
    pub releaser: Releaser,
    pub key: [u8; 32],
    /// Random, so that the log of all stacks tells whose line it is.
    pub model: Digest,
    stop: Option<oneshot::Sender<()>>,
    pub ended: JoinHandle<listener::Drained>,
    pub folder: TempDir,
}

impl Stack {
    /// A releaser whose policy admits `machine`.
    pub async fn start(machine: &Machine) -> Self {
        Self::limited(machine, Limits::default()).await
    }

    pub async fn limited(machine: &Machine, limits: Limits) -> Self {
        Self::judging(in_force(&policy_text(machine)), limits).await
    }

    pub async fn judging(in_force: InForce, limits: Limits) -> Self {
        log::collect();
        let (key, model) = (random(), random());
        let folder = folder_of(&key, &model);
        let clock = Arc::new(HandClock::at(NOW));
        let keys = KeyFolder::open(folder.path()).unwrap();
        let appraiser = Appraiser::new(VENDOR.verifier(), in_force);
        let clock_of_releaser = Arc::clone(&clock) as Arc<dyn Clock>;
        let releaser = Releaser::new(keys, appraiser, clock_of_releaser, limits);
        let socket = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = socket.local_addr().unwrap();
        let (stop, stopped) = oneshot::channel();
        let serving = releaser
            .clone()
            .serve(socket, None, async { drop(stopped.await) });
        Self {
            address,
            clock,
            releaser,
            key,
            model,
            stop: Some(stop),
            ended: tokio::spawn(serving),
            folder,
        }
    }

    pub fn key_id(&self) -> KeyId {
        KeyId(ModelKey::copy_of(&self.key).unwrap().id().0)
    }

    pub fn stop(&mut self) {
        drop(self.stop.take());
    }

    pub async fn nonce(&self) -> Nonce {
        let answer = post(self.address, CHALLENGE, "", &[]).await;
        assert_eq!(answer.status, 200);
        Nonce(answer.body.as_slice().try_into().unwrap())
    }

    pub async fn ask(&self, request: &KeyRequest) -> Answer {
        self.ask_with(&request.to_cbor()).await
    }

    pub async fn ask_with(&self, body: &[u8]) -> Answer {
        let media_type = protocol::key_release::KEY_REQUEST_MEDIA_TYPE;
        post(self.address, RELEASE, media_type, body).await
    }

    /// Asks, is refused without a word, and finds `code` in the log.
    pub async fn refuses(&self, request: &KeyRequest, code: &str) {
        let answer = self.ask(request).await;
        assert_eq!(answer.status, 403, "{answer:?}");
        assert_eq!(answer.code(), "releaser.refused");
        let told = String::from_utf8_lossy(&answer.body).into_owned();
        assert!(!told.contains(code), "the peer is told no reason: {told}");
        let codes = log::refusals(&hex::encode(request.model));
        assert_eq!(codes.last().map(String::as_str), Some(code), "{codes:?}");
    }

    /// A node that asks for this releaser's key.
    pub async fn node<'a>(&self, machine: &'a Machine) -> Asking<'a> {
        let nonce = self.nonce().await;
        Asking::new(machine, nonce, self.key_id(), self.model)
    }
}

/// A node on its way to a key; every part can be made wrong before it asks.
pub struct Asking<'a> {
    pub machine: &'a Machine,
    pub recipient: KeyRecipient,
    pub nonce: Nonce,
    pub key_id: KeyId,
    pub model: Digest,
    pub manifest: Manifest,
    pub name: String,
}

impl<'a> Asking<'a> {
    pub fn new(machine: &'a Machine, nonce: Nonce, key_id: KeyId, model: Digest) -> Self {
        Self {
            machine,
            recipient: KeyRecipient::generate_in(&Heap),
            nonce,
            key_id,
            model,
            manifest: manifest(model),
            name: "node-1".to_owned(),
        }
    }

    pub fn bundle(&self) -> EvidenceBundle {
        let manifest = self.manifest.to_cbor();
        let digest = Manifest::digest(&manifest);
        let identity = self.recipient.identity();
        let mut bundle = self.machine.bundle(identity, manifest, &self.nonce);
        let keys = self.recipient.key_list(KeyListTerms {
            manifest: digest,
            node: self.name.clone(),
            not_before: NOW,
            expires: NOW.plus(POLICY_SECONDS),
            policy: (1, [2; 32]),
        });
        bundle.key_configs = Some(keys.as_bytes().to_vec());
        bundle
    }

    pub fn request(&self) -> KeyRequest {
        self.request_with(&self.bundle())
    }

    pub fn request_with(&self, bundle: &EvidenceBundle) -> KeyRequest {
        KeyRequest {
            nonce: self.nonce,
            key_id: self.key_id,
            model: self.model,
            evidence: bundle.to_cbor(),
        }
    }

    /// What must have been sealed for the request of `bundle`.
    pub fn statement(&self, bundle: &EvidenceBundle) -> ReleaseStatement {
        let binding = attestation::Binding {
            freshness: bundle.freshness,
            identity: bundle.identity.digest(),
            manifest: Manifest::digest(&bundle.manifest),
            devices: Vec::new(),
        };
        ReleaseStatement {
            nonce: self.nonce,
            binding_id: binding.report_data().binding_id(),
            key_id: self.key_id,
            model: self.model,
        }
    }
}

pub fn manifest(model: Digest) -> Manifest {
    Manifest {
        runtime_version: "0.1.0".to_owned(),
        runtime_digest: [1; 32],
        model: "tiny".to_owned(),
        model_digest: model,
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
}

pub fn policy_text(machine: &Machine) -> PolicyText {
    demo_policy(machine, NOW, NOW.plus(POLICY_SECONDS))
}

/// The policy of `text`, told to accept the invented vendor.
pub fn in_force(text: &PolicyText) -> InForce {
    let signer = PolicySigner::generate();
    let envelope = signer.signed_policy(&text.to_toml());
    let policy = Policy::from_envelope(&envelope, &signer.trust_root()).unwrap();
    accepting(policy.into())
}

#[allow(clippy::disallowed_methods, reason = "a test of simulated nodes")]
pub fn accepting(in_force: InForce) -> InForce {
    in_force.map_policy(policy::danger::accept_custom_anchors)
}

/// A folder with one key, as its owner keeps it.
pub fn folder_of(key: &[u8; 32], model: &Digest) -> TempDir {
    let folder = tempfile::tempdir().unwrap();
    write_key(folder.path(), key, model);
    folder
}

pub fn write_key(folder: &Path, key: &[u8; 32], model: &Digest) {
    let path = folder.join(format!("{}.key", hex::encode(model)));
    fs::write(&path, format!("{}\n", hex::encode(key))).unwrap();
    fs::set_permissions(&path, fs::Permissions::from_mode(0o600)).unwrap();
}

pub fn random() -> [u8; 32] {
    let mut bytes = [0; 32];
    aws_lc_rs::rand::fill(&mut bytes).unwrap();
    bytes
}
