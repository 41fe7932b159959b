//! The runtimes' process: the shipped runtime library, once for each node, with evidence from invented machines. A line `kill NODE` on
//! standard input ends one of them at once, as a crash would.

use crate::Outcome;
use attestation::crypto::sha256;
use clap::Args;
use enclave_runtime::{Clock, Limits, Parts, PolicyInForce, Runtime, config::LogFormat};
use engine::{
    Engine,
    local::{LocalConfig, LocalEngine},
};
use provision::{PolicyMemory, read_policy, read_trust_root};
use std::{
    error::Error,
    fs,
    io::{self, BufRead},
    path::PathBuf,
    process::ExitCode,
    sync::Arc,
};
use tests::{
    child::announce,
    fleet::{Fleet, Node, Tees},
    stack::{self, MODEL},
};
use tokio::{sync::oneshot, task::JoinHandle};

#[derive(Args)]
pub(crate) struct RuntimeRole {
    /// The stack's files
    directory: PathBuf,
    /// The model
    #[arg(long)]
    model: PathBuf,
    /// The nodes
    #[arg(long, value_enum, default_value = "snp")]
    tees: Tees,
    /// Leaves the process's memory open to a test that looks into it
    #[arg(long)]
    inspectable: bool,
}

impl RuntimeRole {
    pub(crate) fn run(self) -> Outcome {
        enclave_runtime::telemetry::init(LogFormat::Text);
        if !self.inspectable {
            enclave_runtime::harden()?;
        }
        let engine = LocalEngine::load(
            &self.model,
            LocalConfig {
                threads: 0,
                max_sequences: 4,
                queue: 64,
                max_context: 8192,
            },
        )?
        .with_name(MODEL)?;
        let engine: Arc<dyn Engine> = Arc::new(engine);
        let clock = Clock::system();
        let fleet = Fleet::invent(clock.now());
        fleet.publish_roots(&self.directory)?;
        let nodes = fleet.nodes(self.tees);
        let mut serving = Vec::new();
        for node in nodes {
            let (parts, machine, clock) = (self.parts(&node)?, node.machine, Clock::system());
            let runtime = Runtime::new(parts, Arc::clone(&engine), machine, clock)?;
            serving.push(Serving::start(node.name, runtime)?);
        }
        let addresses: Vec<&str> = serving.iter().map(|node| node.address.as_str()).collect();
        announce(&addresses.join(" "))?;
        obey_parent(serving)
    }

    fn parts(&self, node: &Node) -> Result<Parts, Box<dyn Error>> {
        let collateral = self.directory.join(format!("{}.collateral", node.name));
        fs::write(&collateral, node.collateral.to_cbor())?;
        Ok(Parts {
            node: node.name.to_owned(),
            policy: self.policy_in_force()?,
            residency: None,
            collateral: Some(collateral),
            padding: stack::padding(&self.directory)?,
            runtime_digest: sha256(&fs::read("/proc/self/exe")?),
            limits: Limits::default(),
        })
    }

    fn policy_in_force(&self) -> Result<PolicyInForce, Box<dyn Error>> {
        let file = |name| self.directory.join(name);
        let root = read_trust_root(&[file("alice.pub.pem"), file("bob.pub.pem")], None)?;
        let memory = PolicyMemory::new(&file("state-runtime"), &root);
        let policy = read_policy(&file("policy.json"), &root, &memory)?;
        Ok(PolicyInForce::of(&policy, &root))
    }
}

/// One node under way, with threads of its own: they can be taken from it without a word to its peers.
struct Serving {
    name: &'static str,
    address: String,
    threads: tokio::runtime::Runtime,
    stop: oneshot::Sender<()>,
    stopped: JoinHandle<()>,
}

impl Serving {
    fn start(name: &'static str, runtime: Runtime) -> Result<Self, Box<dyn Error>> {
        let threads = tokio::runtime::Runtime::new()?;
        let socket = threads.block_on(tokio::net::TcpListener::bind(("127.0.0.1", 0)))?;
        let address = socket.local_addr()?.to_string();
        let (stop, told) = oneshot::channel();
        let stopped = threads.spawn(async move {
            runtime.serve(socket, async { drop(told.await) }).await;
        });
        Ok(Self {
            name,
            address,
            threads,
            stop,
            stopped,
        })
    }

    fn kill(self) {
        self.threads.shutdown_background();
    }

    fn drain(self) {
        drop(self.stop);
        drop(self.threads.block_on(self.stopped));
    }
}

/// Serves until the parent has ended.
fn obey_parent(mut serving: Vec<Serving>) -> Outcome {
    for line in io::stdin().lock().lines().map_while(Result::ok) {
        let killed = line.strip_prefix("kill ").unwrap_or_default();
        for node in serving.extract_if(.., |node| node.name == killed) {
            node.kill();
        }
    }
    serving.into_iter().for_each(Serving::drain);
    Ok(ExitCode::SUCCESS)
}
