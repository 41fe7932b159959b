//! The runtime's process: the shipped runtime library with evidence from an invented machine.

use crate::{Outcome, roots};
use attestation::crypto::sha256;
use clap::Args;
use enclave_runtime::{Clock, Limits, Parts, PolicyInForce, Runtime, config::LogFormat};
use engine::local::{LocalConfig, LocalEngine};
use provision::{PolicyMemory, read_policy, read_trust_root};
use std::{fs, path::PathBuf, process::ExitCode, sync::Arc};
use tee_sim::{Machine, Vendor};
use tests::{
    child::{announce, parent_has_ended},
    stack::{MODEL, NODE, PRODUCT},
};

#[derive(Args)]
pub(crate) struct RuntimeRole {
    /// The stack's files
    directory: PathBuf,
    /// The model
    #[arg(long)]
    model: PathBuf,
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
        let parts = Parts {
            node: NODE.to_owned(),
            policy: self.policy_in_force()?,
            residency: None,
            collateral: None,
            runtime_digest: sha256(&fs::read("/proc/self/exe")?),
            limits: Limits::default(),
        };
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
        let vendor = Vendor::invent(PRODUCT);
        roots::publish(&self.directory, &vendor)?;
        let machine = Arc::new(Machine::new(&vendor));
        let runtime = Runtime::new(parts, Arc::new(engine), machine, Clock::system())?;
        tokio::runtime::Runtime::new()?.block_on(serve(runtime))
    }

    fn policy_in_force(&self) -> Result<PolicyInForce, Box<dyn std::error::Error>> {
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

async fn serve(runtime: Runtime) -> Outcome {
    let socket = tokio::net::TcpListener::bind(("127.0.0.1", 0)).await?;
    announce(&socket.local_addr()?.to_string())?;
    let ended = parent_has_ended();
    runtime.serve(socket, async { drop(ended.await) }).await;
    Ok(ExitCode::SUCCESS)
}
