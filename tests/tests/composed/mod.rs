//! Runtime, gateway and client of the shipped libraries in one process, over any network that accepts and connects; invented vendors.
#![allow(
    dead_code,
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::disallowed_methods,
    reason = "each test program uses a part, a test fails by panicking, and the invented vendor must be admitted"
)]

pub(crate) mod asked;
pub(crate) mod engine;
pub(crate) mod log;
pub(crate) mod panics;
pub(crate) mod pipes;
pub(crate) mod wire;

use attestation::{UnixTime, snp::Product};
use client::{
    ApiKey, Client, ClientError, Connector, GatewayUrl, Judge, Observer, Roots, SeenPolicies,
};
use enclave_runtime::{Limits, Parts, Runtime};
use gateway::{Clock, Config, Gateway};
use policy::{Appraiser, InForce, Policy, publication::Files};
use protocol::PaddingProfile;
use std::{
    fs,
    sync::{
        Arc, LazyLock,
        atomic::{AtomicU64, Ordering},
    },
};
use tee_sim::{Machine, PolicySigner, Vendor, policy_text::demo_policy};
use tempfile::TempDir;

/// 2026-11-22T00:00:00Z.
pub(crate) const NOW: UnixTime = UnixTime(1_795_305_600);
/// The gateway's one API key, and its SHA-256.
pub(crate) const API_KEY: &str = "test-key-9f2c61";
const API_KEY_SHA256: &str = "1b9de3a23fbe28cae882649aee6304fa2022d3d895da36c21ef2c30085a5ef7d";
const POLICY_SECONDS: u64 = 100 * 24 * 3600;

/// A clock that stands still until it is turned, backwards too.
pub(crate) struct HandClock(AtomicU64);

impl HandClock {
    pub(crate) fn new() -> Arc<Self> {
        Arc::new(Self(AtomicU64::new(NOW.0)))
    }

    pub(crate) fn set(&self, now: UnixTime) {
        self.0.store(now.0, Ordering::SeqCst);
    }
}

impl Clock for HandClock {
    fn now(&self) -> UnixTime {
        UnixTime(self.0.load(Ordering::SeqCst))
    }
}

/// What all compositions of a test program share: inventing a vendor takes seconds.
pub(crate) struct Site {
    machine: Arc<Machine>,
    signer: PolicySigner,
    policy_toml: String,
    certificate: Vec<u8>,
    folder: TempDir,
}

/// The one site.
pub(crate) fn site() -> &'static Site {
    static SITE: LazyLock<Site> = LazyLock::new(Site::invent);
    &SITE
}

impl Site {
    fn invent() -> Self {
        let machine = Machine::new(&Vendor::invent(Product::Genoa));
        let begins = UnixTime(NOW.0 - POLICY_SECONDS);
        let policy = demo_policy(&machine, begins, NOW.plus(POLICY_SECONDS));
        let folder = tempfile::tempdir().unwrap();
        let made = rcgen::generate_simple_self_signed(vec!["localhost".to_owned()]).unwrap();
        fs::write(folder.path().join("tls.crt"), made.cert.pem()).unwrap();
        let key = made.signing_key.serialize_pem();
        fs::write(folder.path().join("tls.key"), key).unwrap();
        Self {
            machine: Arc::new(machine),
            signer: PolicySigner::generate(),
            policy_toml: policy.to_toml(),
            certificate: made.cert.der().to_vec(),
            folder,
        }
    }

    /// DER of the gateway's certificate, for `localhost`.
    pub(crate) fn certificate(&self) -> &[u8] {
        &self.certificate
    }

    fn policy(&self) -> Policy {
        let envelope = self.signer.signed_policy(&self.policy_toml);
        Policy::from_envelope(&envelope, &self.signer.trust_root()).unwrap()
    }

    fn appraiser(&self) -> Appraiser {
        let policy = policy::danger::accept_custom_anchors(self.policy());
        Appraiser::new(self.machine.verifier(), policy)
    }

    /// A runtime with a new identity.
    pub(crate) fn runtime(
        &self,
        node: &str,
        engine: Arc<dyn ::engine::Engine>,
        clock: &Arc<HandClock>,
        limits: Limits,
    ) -> Runtime {
        let parts = Parts {
            node: node.to_owned(),
            in_force: InForce::under_keys(self.policy(), self.signer.trust_root()),
            residency: None,
            aibom_digest: None,
            collateral: None,
            runtime_digest: [7; 32],
            gpu: None,
            limits,
            padding: PaddingProfile::Off,
        };
        let hand = Arc::clone(clock);
        let clock = enclave_runtime::Clock::from_source(move || hand.now());
        Runtime::new(parts, engine, self.machine.clone(), clock).unwrap()
    }

    /// A gateway's configuration; `nodes` are names with addresses, `settings` are tables.
    pub(crate) fn gateway_config(&self, nodes: &[(String, String)], settings: &str) -> Config {
        let folder = self.folder.path().display();
        let table = |(name, upstream): &(String, String)| {
            format!("[[nodes]]\nname = \"{name}\"\nupstream = \"{upstream}\"\n")
        };
        let nodes: String = nodes.iter().map(table).collect();
        let text = format!(
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
        );
        Config::from_toml(&text).unwrap()
    }

    /// A gateway that reaches its nodes through `connector`.
    pub(crate) fn gateway(
        &self,
        config: &Config,
        connector: Connector,
        clock: Arc<HandClock>,
    ) -> Gateway {
        Gateway::through(connector, config, self.appraiser(), clock)
    }

    /// Has `gateway` hand out the policy that it judges by.
    pub(crate) fn publish(&self, gateway: &Gateway) {
        let envelope = self.signer.signed_policy(&self.policy_toml).to_json();
        let in_force = self.appraiser().in_force().clone();
        gateway.obey(in_force, &Files::of_policy(envelope.into_bytes()));
    }

    /// A client that reaches the gateway through `connector` and has admitted its first node.
    pub(crate) async fn client(
        &self,
        connector: Connector,
        clock: Arc<HandClock>,
        observer: Arc<dyn Observer>,
    ) -> Result<Client, ClientError> {
        let gateway = client::Gateway {
            url: GatewayUrl::parse("https://localhost").unwrap(),
            roots: Roots::Given(vec![self.certificate.clone()]),
            api_key: Some(ApiKey::new(API_KEY).unwrap()),
        };
        let judge = Judge {
            appraiser: self.appraiser(),
            clock,
            seen: SeenPolicies::default(),
        };
        Client::connect_through(connector, &gateway, judge, observer).await
    }
}

/// Hears nothing.
pub(crate) struct Deaf;

impl Observer for Deaf {
    fn observe(&self, _: &client::Event) {}
}
