//! The runtimes' process: the shipped runtime library, once for each node, with evidence from invented machines. A line `kill NODE` on
//! standard input ends one of them at once, as a crash would; `restart NODE` has it begin anew, with another identity on the same machine.

use crate::{Outcome, sealed_model};
use attestation::crypto::sha256;
use clap::Args;
use enclave_runtime::{Clock, Limits, Parts, Runtime, config::LogFormat, follow};
use engine::{
    Engine,
    local::{self, LocalConfig},
};
use policy::InForce;
use provision::{PolicyKeeper, SystemClock};
use std::{
    error::Error,
    fs,
    io::{self, BufRead},
    net::{IpAddr, Ipv4Addr, SocketAddr},
    path::PathBuf,
    process::ExitCode,
    sync::Arc,
    time::Duration,
};
use tests::{
    child::announce,
    fleet::{Fleet, Node, Tees},
    publication, sealed,
    stack::{self, MODEL},
};
use tokio::{sync::oneshot, task::JoinHandle};

const ANY_PORT: SocketAddr = SocketAddr::new(IpAddr::V4(Ipv4Addr::LOCALHOST), 0);
/// For tasks of a killed node that are in the middle of something.
const LAST_BREATH: Duration = Duration::from_millis(50);

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
        let clock = Clock::system();
        let fleet = Fleet::invent(clock.now());
        fleet.publish_roots(&self.directory)?;
        let nodes = fleet.nodes(self.tees);
        let engine = self.engine(&nodes)?;
        let serving: Result<Vec<_>, _> = nodes
            .into_iter()
            .map(|node| self.serve(node, &engine, ANY_PORT))
            .collect();
        let serving = serving?;
        let addresses: Vec<String> = serving
            .iter()
            .map(|node| node.address.to_string())
            .collect();
        announce(&addresses.join(" "))?;
        self.obey_parent(serving, &engine)
    }

    /// The engine of all nodes; where the model is sealed, the first of them asks for its key.
    fn engine(&self, nodes: &[Node]) -> Result<Arc<dyn Engine>, Box<dyn Error>> {
        let (Some(config), Some(first)) = (sealed::runtime_config(&self.directory), nodes.first())
        else {
            let config = LocalConfig::default();
            return Ok(local::open(&self.model, Some(MODEL), config)?);
        };
        let threads = tokio::runtime::Runtime::new()?;
        threads.block_on(async {
            let (_keeper, in_force) = self.obey().await?;
            let parts = self.parts(first, in_force)?;
            sealed_model::open(&config, first, &parts).await
        })
    }

    /// Starts one node.
    fn serve(
        &self,
        node: Node,
        engine: &Arc<dyn Engine>,
        address: SocketAddr,
    ) -> Result<Serving, Box<dyn Error>> {
        let threads = tokio::runtime::Runtime::new()?;
        let (keeper, in_force) = threads.block_on(self.obey())?;
        let parts = self.parts(&node, in_force)?;
        let (machine, clock) = (Arc::clone(&node.machine), Clock::system());
        let runtime = Runtime::new(parts, Arc::clone(engine), machine, clock)?;
        Serving::start(node, threads, (runtime, keeper), address)
    }

    /// Serves until the parent has ended.
    fn obey_parent(&self, mut serving: Vec<Serving>, engine: &Arc<dyn Engine>) -> Outcome {
        for line in io::stdin().lock().lines().map_while(Result::ok) {
            let (word, name) = line.split_once(' ').unwrap_or_default();
            let named: Vec<_> = serving
                .extract_if(.., |serving| serving.node.name == name)
                .collect();
            for node in named {
                let (again, address) = node.kill();
                if word == "restart" {
                    serving.push(self.serve(again, engine, address)?);
                }
            }
        }
        serving.into_iter().for_each(Serving::drain);
        Ok(ExitCode::SUCCESS)
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
            gpu: None,
            limits: self.limits(),
        })
    }

    /// The default ones, but that whoever looks into its memory between two halves of an envelope takes time.
    fn limits(&self) -> Limits {
        let mut limits = Limits::default();
        if self.inspectable {
            limits.envelope_timeout = limits.answer_timeout;
        }
        limits
    }

    /// Takes the first documents; like the runtime that ships, it remembers nothing on disk.
    async fn obey(&self) -> Result<(PolicyKeeper, InForce), Box<dyn Error>> {
        let settings = publication::settings(&self.directory);
        Ok(PolicyKeeper::open(settings, Arc::new(SystemClock)).await?)
    }
}

/// One node under way, with threads of its own: they can be taken from it without a word to its peers.
struct Serving {
    node: Node,
    address: SocketAddr,
    threads: tokio::runtime::Runtime,
    stop: oneshot::Sender<()>,
    stopped: JoinHandle<()>,
}

impl Serving {
    fn start(
        node: Node,
        threads: tokio::runtime::Runtime,
        (runtime, keeper): (Runtime, PolicyKeeper),
        address: SocketAddr,
    ) -> Result<Self, Box<dyn Error>> {
        let socket = threads.block_on(tokio::net::TcpListener::bind(address))?;
        let address = socket.local_addr()?;
        let (stop, told) = oneshot::channel();
        let following = follow(runtime.obedience(), keeper, publication::REFRESH);
        let stopped = threads.spawn(async move {
            tokio::select! {
                _drained = runtime.serve(socket, async { drop(told.await) }) => {}
                never = following => match never {},
            }
        });
        Ok(Self {
            node,
            address,
            threads,
            stop,
            stopped,
        })
    }

    /// Ends it at once: its machine, and where it was reached.
    fn kill(self) -> (Node, SocketAddr) {
        self.threads.shutdown_timeout(LAST_BREATH);
        (self.node, self.address)
    }

    fn drain(self) {
        drop(self.stop);
        drop(self.threads.block_on(self.stopped));
    }
}
