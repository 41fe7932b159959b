//! A whole gateway on loopback, its admitted fake nodes, and a client that holds an API key.
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

pub mod client;
pub mod node;
pub mod streams;
pub mod team;

use attestation::{UnixTime, Verifier, snp::Product};
use gateway::{CertificateReload, Clock, Config, Gateway, Listeners, NodeName};
use listener::Drained;
use node::FakeNode;
use policy::{Appraiser, Policy};
use std::{
    net::SocketAddr,
    path::Path,
    sync::{
        Arc, LazyLock,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};
use tee_sim::{Machine, PolicySigner, Vendor, policy_text::demo_policy};
use tempfile::TempDir;
use tokio::{sync::oneshot, task::JoinHandle};

pub const API_KEY: &str = "test-key-9f2c61";
/// SHA-256 of [`API_KEY`].
const API_KEY_SHA256: &str = "1b9de3a23fbe28cae882649aee6304fa2022d3d895da36c21ef2c30085a5ef7d";
/// Guards against a hanging test; no test depends on its length.
pub const HANG: Duration = Duration::from_secs(60);
/// 2026-06-01T00:00:00Z.
pub const NOW: UnixTime = UnixTime(1_780_272_000);
pub const POLICY_SECONDS: u64 = 1_000_000;

/// One vendor for a whole test binary: inventing one takes seconds.
pub static VENDOR: LazyLock<Vendor> = LazyLock::new(|| Vendor::invent(Product::Genoa));

/// A clock that stands still until it is turned.
#[derive(Debug)]
pub struct HandClock(AtomicU64);

impl HandClock {
    pub fn turn(&self, seconds: u64) {
        self.0.fetch_add(seconds, Ordering::SeqCst);
    }
}

impl Clock for HandClock {
    fn now(&self) -> UnixTime {
        UnixTime(self.0.load(Ordering::SeqCst))
    }
}

/// A running gateway.
pub struct Stack {
    pub public: SocketAddr,
    pub admin: SocketAddr,
    pub certificate_pem: String,
    pub clock: Arc<HandClock>,
    pub gateway: Gateway,
    pub certificate: CertificateReload,
    /// Of the certificate, `tls.crt` and `tls.key`.
    pub folder: TempDir,
    stop: oneshot::Sender<()>,
    ended: JoinHandle<Drained>,
}

impl Stack {
    /// A gateway in front of `nodes`, each appraised once. `settings` are tables of the configuration.
    pub async fn start(nodes: &[&FakeNode], settings: &str) -> Self {
        Self::judged_by(admitting_appraiser(nodes[0].machine()), nodes, settings).await
    }

    pub async fn judged_by(appraiser: Appraiser, nodes: &[&FakeNode], settings: &str) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let certificate_pem = write_certificate(folder.path());
        let config = Config::from_toml(&config_text(folder.path(), nodes, settings)).unwrap();
        let listeners = Listeners::bind(&config).await.unwrap();
        let (public, admin) = listeners.addresses().unwrap();
        let certificate = listeners.certificate_reload(&config.tls);
        let clock = Arc::new(HandClock(AtomicU64::new(NOW.0)));
        let gateway = Gateway::new(&config, appraiser, Arc::clone(&clock) as Arc<dyn Clock>);
        gateway.appraise_all().await;
        let (stop, stopped) = oneshot::channel();
        let ended = tokio::spawn(
            gateway
                .clone()
                .run(listeners, async { drop(stopped.await) }),
        );
        Self {
            public,
            admin,
            certificate_pem,
            clock,
            gateway,
            certificate,
            folder,
            stop,
            ended,
        }
    }

    /// The stable code of what the next appraisal of the first node says.
    pub async fn appraise(&self) -> Result<(), &'static str> {
        let (_, outcome): (NodeName, _) = self.gateway.appraise_all().await.swap_remove(0);
        outcome.map_err(|error| error.code())
    }

    /// Tells the gateway to stop; the handle gives how it ended.
    pub fn stop(self) -> JoinHandle<Drained> {
        self.stop.send(()).unwrap();
        self.ended
    }
}

/// Trusts the test vendor and admits machines like `machine`.
pub fn admitting_appraiser(machine: &Machine) -> Appraiser {
    Appraiser::new(
        VENDOR.verifier(),
        accept_custom_anchors(policy_for(machine)),
    )
}

/// What the shipped binary would do with the same policy.
pub fn shipped_appraiser(machine: &Machine) -> Appraiser {
    Appraiser::new(Verifier::vendor(), policy_for(machine))
}

pub fn policy_for(machine: &Machine) -> Policy {
    let toml = demo_policy(machine, NOW, NOW.plus(POLICY_SECONDS)).to_toml();
    let signer = PolicySigner::generate();
    Policy::from_envelope(&signer.signed_policy(&toml), &signer.trust_root()).unwrap()
}

#[allow(clippy::disallowed_methods, reason = "a test of simulated nodes")]
pub fn accept_custom_anchors(policy: Policy) -> Policy {
    policy::danger::accept_custom_anchors(policy)
}

/// Writes a certificate for `localhost`, which it returns, and its key.
pub fn write_certificate(folder: &Path) -> String {
    let made = rcgen::generate_simple_self_signed(vec!["localhost".to_owned()]).unwrap();
    std::fs::write(folder.join("tls.crt"), made.cert.pem()).unwrap();
    std::fs::write(folder.join("tls.key"), made.signing_key.serialize_pem()).unwrap();
    made.cert.pem()
}

fn config_text(folder: &Path, nodes: &[&FakeNode], settings: &str) -> String {
    let folder = folder.display();
    let nodes: String = nodes
        .iter()
        .map(|node| {
            format!(
                "[[nodes]]\nname = \"{}\"\nupstream = \"{}\"\n",
                node.name(),
                node.address()
            )
        })
        .collect();
    format!(
        r#"
listen = "127.0.0.1:0"
admin_listen = "127.0.0.1:0"
[tls]
certificate = "{folder}/tls.crt"
key = "{folder}/tls.key"
[policy]
source = "{folder}/policy.json"
keys = ["{folder}/policy.pem"]
state = "{folder}"
[[api_keys]]
name = "tests"
sha256 = "{API_KEY_SHA256}"
{nodes}
{settings}
"#
    )
}
