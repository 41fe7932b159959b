//! A releaser that holds an owner's key, and runtimes that ask it.

use crate::{owner::Owner, support};
use attestation::{UnixTime, snp::Product};
use enclave_runtime::{
    Clock, Limits, Parts,
    model_key::{Asker, KeyServer, KeyServerKind, Wanted},
    sealed::Sealed,
};
use engine::local::LocalConfig;
use policy::{Appraiser, InForce};
use provision::Clock as _;
use releaser::{KeyFolder, Releaser};
use std::{
    fs,
    net::SocketAddr,
    os::unix::fs::PermissionsExt,
    sync::{Arc, LazyLock},
    time::Duration,
};
use tee_sim::{Machine, Vendor, policy_text::demo_policy};
use tokio::net::TcpListener;

pub(crate) const NOW: UnixTime = support::NOW;
pub(crate) const NAME: &str = "tiny";
pub(crate) const ENGINE: LocalConfig = LocalConfig {
    threads: 1,
    max_sequences: 1,
    queue: 1,
    max_context: 64,
    isa: None,
    step_tokens: 64,
    kv_bytes: 0,
    tenant_jobs: 0,
    cached_tokens_per_secret: 0,
};

/// Inventing a vendor takes a while: once for all tests.
pub(crate) static VENDOR: LazyLock<Vendor> = LazyLock::new(|| Vendor::invent(Product::Genoa));

struct StandingClock;

impl provision::Clock for StandingClock {
    fn now(&self) -> UnixTime {
        NOW
    }
}

pub(crate) struct Scene<'a> {
    pub(crate) owner: &'a Owner,
    pub(crate) address: SocketAddr,
    in_force: InForce,
}

impl<'a> Scene<'a> {
    pub(crate) async fn start(owner: &'a Owner) -> Self {
        let machine = Machine::new(&VENDOR);
        let policy = demo_policy(&machine, UnixTime(0), NOW.plus(1_000_000));
        let policy = policy.model(NAME, owner.model_digest).to_toml();
        let in_force = support::signed(&policy);
        let keys = tempfile::tempdir().unwrap();
        let file = keys
            .path()
            .join(format!("{}.key", hex::encode(owner.model_digest)));
        fs::write(&file, owner.key.to_file().as_bytes()).unwrap();
        fs::set_permissions(&file, fs::Permissions::from_mode(0o600)).unwrap();
        let appraiser = Appraiser::new(VENDOR.verifier(), accepting(&in_force));
        let clock = Arc::new(StandingClock);
        assert_eq!(clock.now(), NOW);
        let folder = KeyFolder::open(keys.path()).unwrap();
        let releaser = Releaser::new(folder, appraiser, clock, releaser::Limits::default());
        let socket = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = socket.local_addr().unwrap();
        tokio::spawn(async move {
            let _kept = keys;
            releaser.serve(socket, None, std::future::pending()).await
        });
        Self {
            owner,
            address,
            in_force,
        }
    }

    pub(crate) fn server(&self) -> KeyServer {
        self.server_at(self.address)
    }

    pub(crate) fn server_at(&self, address: SocketAddr) -> KeyServer {
        KeyServer {
            address: format!("http://{address}"),
            kind: KeyServerKind::Releaser,
            roots: None,
            attempts: 1,
            first_pause: Duration::ZERO,
        }
    }

    pub(crate) fn sealed(&self) -> Sealed {
        Sealed::open(&self.owner.sealed, &self.owner.root()).unwrap()
    }

    pub(crate) fn wanted(&self) -> Wanted {
        self.sealed().wanted()
    }

    pub(crate) fn parts(&self) -> Parts {
        Parts {
            in_force: self.in_force.clone(),
            limits: Limits::default(),
            ..support::parts()
        }
    }

    pub(crate) fn asker(&self) -> Arc<Asker> {
        self.asker_on(Machine::new(&VENDOR))
    }

    pub(crate) fn asker_on(&self, machine: Machine) -> Arc<Asker> {
        let promise = self.sealed().promise(None, &self.in_force).unwrap();
        let card = promise.card(&ENGINE).unwrap();
        let clock = Clock::from_source(|| NOW);
        Arc::new(Asker::new(&self.parts(), &card, Arc::new(machine), clock).unwrap())
    }

    pub(crate) fn appraiser(&self) -> Appraiser {
        Appraiser::new(VENDOR.verifier(), accepting(&self.in_force))
    }
}

fn accepting(in_force: &InForce) -> InForce {
    let in_force = in_force.clone();
    in_force.map_policy(policy::danger::accept_custom_anchors)
}
