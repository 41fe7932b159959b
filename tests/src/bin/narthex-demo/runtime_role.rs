//! The runtimes' process: the shipped runtime library, once for each node, with evidence from invented machines. A line `kill NODE` on
//! standard input ends one of them at once, as a crash would.

use crate::Outcome;
use attestation::crypto::sha256;
use clap::Args;
use enclave_runtime::{Clock, Limits, Parts, Runtime, config::LogFormat, follow};
use engine::{
    Engine,
    local::{LocalConfig, LocalEngine},
};
use policy::InForce;
use provision::{PolicyKeeper, SystemClock};
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
    publication,
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
            let threads = tokio::runtime::Runtime::new()?;
            let (keeper, in_force) = threads.block_on(self.obey())?;
            let parts = self.parts(&node, in_force)?;
            let (machine, clock) = (node.machine, Clock::system());
            let runtime = Runtime::new(parts, Arc::clone(&engine), machine, clock)?;
            serving.push(Serving::start(node.name, threads, (runtime, keeper))?);
        }
        let addresses: Vec<&str> = serving.iter().map(|node| node.address.as_str()).collect();
        announce(&addresses.join(" "))?;
        obey_parent(serving)
    }

    fn parts(&self, node: &Node, in_force: InForce) -> Result<Parts, Box<dyn Error>> {
        let collateral = self.directory.join(format!("{}.collateral", node.name));
        fs::write(&collateral, node.collateral.to_cbor())?;
        Ok(Parts {
            node: node.name.to_owned(),
            in_force,
            residency: None,
            aibom_digest: None,
            collateral: Some(collateral),
            padding: stack::padding(&self.directory)?,
            runtime_digest: sha256(&fs::read("/proc/self/exe")?),
            limits: Limits::default(),
        })
    }

    /// Takes the first documents; like the runtime that ships, it remembers nothing on disk.
    async fn obey(&self) -> Result<(PolicyKeeper, InForce), Box<dyn Error>> {
        let settings = publication::settings(&self.directory);
        Ok(PolicyKeeper::open(settings, Arc::new(SystemClock)).await?)
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
    fn start(
        name: &'static str,
        threads: tokio::runtime::Runtime,
        (runtime, keeper): (Runtime, PolicyKeeper),
    ) -> Result<Self, Box<dyn Error>> {
        let socket = threads.block_on(tokio::net::TcpListener::bind(("127.0.0.1", 0)))?;
        let address = socket.local_addr()?.to_string();
        let (stop, told) = oneshot::channel();
        let following = follow(runtime.obedience(), keeper, publication::REFRESH);
        let stopped = threads.spawn(async move {
            tokio::select! {
                _drained = runtime.serve(socket, async { drop(told.await) }) => {}
                never = following => match never {},
            }
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
