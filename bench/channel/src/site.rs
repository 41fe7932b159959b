//! The real model behind the shipped runtime library, on loopback and in this process: one node for each padding profile, all with the same
//! engine, with evidence from an invented machine. Beside them, if asked for, the shipped gateway library and a client that admits the node.

use attestation::{Digest, EvidenceBundle, Nonce, UnixTime, crypto::sha256, snp::Product};
use client::{Client, Gateway, GatewayUrl, Judge, Observer, Roots, SeenPolicies};
use enclave_runtime::{Clock, Limits, Parts, Runtime};
use engine::{
    Engine,
    local::{LocalConfig, LocalEngine},
};
use http_body_util::BodyExt;
use policy::{Appraiser, InForce, Policy, danger::accept_custom_anchors};
use protocol::{PaddingProfile, Sealer, SignedKeyConfigs};
use provision::SystemClock;
use std::{error::Error, fs, future::pending, net::SocketAddr, path::Path, sync::Arc};
use tee_sim::{Machine, PolicySigner, Vendor, policy_text::demo_policy};
use tokio::net::TcpListener;

use crate::wire;

/// The public name of the model.
pub const MODEL: &str = "smollm2-135m-instruct";
const NODE: &str = "bench";
const API_KEY: &str = "bench-key";
const POLICY_SECONDS: u64 = 24 * 3600;

type Outcome<T> = Result<T, Box<dyn Error + Send + Sync>>;

/// An invented machine, a policy that admits it, and the engine.
pub struct Site {
    machine: Arc<Machine>,
    signer: PolicySigner,
    policy: String,
    /// What all nodes answer with.
    pub engine: Arc<dyn Engine>,
}

/// Seconds since 1970, now.
pub fn now() -> UnixTime {
    Clock::system().now()
}

impl Site {
    /// Loads the model for one answer at a time.
    pub fn new(model: &Path) -> Outcome<Self> {
        let local = LocalConfig {
            max_sequences: 1,
            queue: 8,
            max_context: 2048,
            ..LocalConfig::default()
        };
        let machine = Machine::new(&Vendor::invent(Product::Genoa));
        let now = now();
        let begins = UnixTime(now.0.saturating_sub(3600));
        Ok(Self {
            policy: demo_policy(&machine, begins, now.plus(POLICY_SECONDS)).to_toml(),
            machine: Arc::new(machine),
            signer: PolicySigner::generate(),
            engine: Arc::new(LocalEngine::load(model, local)?.with_name(MODEL)?),
        })
    }

    /// A verifier with the policy that admits the machine.
    pub fn appraiser(&self) -> Outcome<Appraiser> {
        Ok(Appraiser::new(
            self.machine.verifier(),
            accept_custom_anchors(self.policy()?),
        ))
    }

    /// Starts a node; where it listens.
    pub async fn node(&self, padding: PaddingProfile) -> Outcome<SocketAddr> {
        let runtime = Runtime::new(
            self.parts(padding)?,
            Arc::clone(&self.engine),
            self.machine.clone(),
            Clock::system(),
        )?;
        let socket = TcpListener::bind(("127.0.0.1", 0)).await?;
        let address = socket.local_addr()?;
        tokio::spawn(runtime.serve(socket, pending()));
        Ok(address)
    }

    /// A sealer to the node at `address`, after a challenge.
    pub async fn sealer(&self, address: SocketAddr) -> Outcome<Sealer> {
        let nonce = Nonce(sha256(address.to_string().as_bytes()));
        let mut connection = wire::connect(address).await?;
        let path = "/narthex/v1/challenge";
        let answer = wire::post(&mut connection, path, None, nonce.0.to_vec()).await?;
        let bundle = EvidenceBundle::from_cbor(&answer.collect().await?.to_bytes())?;
        let admitted = self.appraiser()?.appraise(&bundle, &nonce, now())?;
        let keys = bundle.key_configs.ok_or("the node sent no keys")?;
        let keys = SignedKeyConfigs::from_bytes(keys);
        Ok(Sealer::new(&admitted, &keys, now())?)
    }

    /// Starts a gateway in front of the node at `upstream` and a client of it; `folder` is for the gateway's certificate.
    pub async fn client(&self, upstream: SocketAddr, folder: &Path) -> Outcome<Client> {
        let pair = rcgen::generate_simple_self_signed(vec!["localhost".to_owned()])?;
        fs::write(folder.join("cert.pem"), pair.cert.pem())?;
        fs::write(folder.join("key.pem"), pair.signing_key.serialize_pem())?;
        let config = gateway::Config::from_toml(&gateway_config(folder, upstream))?;
        let listeners = gateway::Listeners::bind(&config).await?;
        let (public, _) = listeners.addresses()?;
        let gateway = gateway::Gateway::new(&config, self.appraiser()?, Arc::new(SystemClock));
        for (_, outcome) in gateway.appraise_all().await {
            outcome?;
        }
        tokio::spawn(gateway.run(listeners, pending()));
        let gateway = Gateway {
            url: GatewayUrl::parse(&format!("https://localhost:{}", public.port()))?,
            roots: Roots::Given(vec![pair.cert.der().to_vec()]),
            api_key: Some(client::ApiKey::new(API_KEY)?),
        };
        let judge = Judge {
            appraiser: self.appraiser()?,
            clock: Arc::new(SystemClock),
            seen: SeenPolicies::default(),
        };
        Ok(Client::connect(&gateway, judge, Arc::new(Silent)).await?)
    }

    fn policy(&self) -> Outcome<Policy> {
        let envelope = self.signer.signed_policy(&self.policy);
        let policy = Policy::from_envelope(&envelope, &self.signer.trust_root());
        policy.map_err(|error| format!("{error:?}").into())
    }

    fn parts(&self, padding: PaddingProfile) -> Outcome<Parts> {
        Ok(Parts {
            node: NODE.to_owned(),
            in_force: InForce::under_keys(self.policy()?, self.signer.trust_root()),
            residency: None,
            aibom_digest: None,
            collateral: None,
            padding,
            runtime_digest: Digest::default(),
            gpu: None,
            limits: Limits::default(),
        })
    }
}

fn gateway_config(folder: &Path, upstream: SocketAddr) -> String {
    let digest = hex::encode(sha256(API_KEY.as_bytes()));
    let folder = folder.display();
    // Who judges is given beside the configuration; the policy's files are never read.
    format!(
        r#"
listen = "127.0.0.1:0"
admin_listen = "127.0.0.1:0"
tls = {{ certificate = "{folder}/cert.pem", key = "{folder}/key.pem" }}
policy = {{ source = "{folder}/unused", keys = ["{folder}/unused"], state = "{folder}/unused" }}
api_keys = [{{ name = "bench", sha256 = "{digest}" }}]
nodes = [{{ name = "{NODE}", upstream = "{upstream}" }}]
log = {{ level = "error" }}
"#
    )
}

struct Silent;

impl Observer for Silent {
    fn observe(&self, _: &client::Event) {}
}
