//! The runtimes' process: the shipped runtime library, once for each node, with evidence from invented machines.

use crate::Outcome;
use attestation::crypto::sha256;
use clap::Args;
use enclave_runtime::{Clock, Limits, Parts, PolicyInForce, Runtime, config::LogFormat};
use engine::{
    Engine,
    local::{LocalConfig, LocalEngine},
};
use protocol::PaddingProfile;
use provision::{PolicyMemory, read_policy, read_trust_root};
use std::{error::Error, fs, path::PathBuf, process::ExitCode, sync::Arc};
use tests::{
    child::{announce, parent_has_ended},
    fleet::{Fleet, Node, Tees},
    stack::MODEL,
};
use tokio::task::JoinSet;

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
        let runtimes: Result<Vec<Runtime>, Box<dyn Error>> = nodes
            .into_iter()
            .map(|node| {
                let (parts, machine) = (self.parts(&node)?, node.machine);
                Ok(Runtime::new(
                    parts,
                    Arc::clone(&engine),
                    machine,
                    Clock::system(),
                )?)
            })
            .collect();
        tokio::runtime::Runtime::new()?.block_on(serve(runtimes?))
    }

    fn parts(&self, node: &Node) -> Result<Parts, Box<dyn Error>> {
        let collateral = self.directory.join(format!("{}.collateral", node.name));
        fs::write(&collateral, node.collateral.to_cbor())?;
        Ok(Parts {
            node: node.name.to_owned(),
            policy: self.policy_in_force()?,
            residency: None,
            collateral: Some(collateral),
            padding: PaddingProfile::Off,
            runtime_digest: sha256(&fs::read("/proc/self/exe")?),
            limits: Limits::default(),
        })
    }

    fn policy_in_force(&self) -> Result<PolicyInForce, Box<dyn Error>> {
        let file = |name| self.directory.join(name);
        let root = read_trust_root(&[file("alice.pub.pem"), file("bob.pub.pem")], None)?;
        let memory = PolicyMemory::new(&file("state-runtime"), &root);
        let policy = read_policy(&file("policy.json"), &root, &memory)?;
        Ok(PolicyInForce {
            version: policy.version(),
            digest: *policy.digest(),
            root: root.digest(),
            max_age_seconds: policy.max_age_seconds(),
            expires: policy.expires(),
        })
    }
}

async fn serve(runtimes: Vec<Runtime>) -> Outcome {
    let mut sockets = Vec::new();
    let mut addresses = Vec::new();
    for _ in &runtimes {
        let socket = tokio::net::TcpListener::bind(("127.0.0.1", 0)).await?;
        addresses.push(socket.local_addr()?.to_string());
        sockets.push(socket);
    }
    announce(&addresses.join(" "))?;
    let (ended, end) = tokio::sync::watch::channel(());
    let mut serving = JoinSet::new();
    for (runtime, socket) in runtimes.into_iter().zip(sockets) {
        let mut end = end.clone();
        serving.spawn(async move {
            let stopped = async move { drop(end.changed().await) };
            runtime.serve(socket, stopped).await;
        });
    }
    drop(parent_has_ended().await);
    drop(ended);
    serving.join_all().await;
    Ok(ExitCode::SUCCESS)
}
