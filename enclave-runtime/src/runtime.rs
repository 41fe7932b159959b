//! The runtime as its binary, or another composition, uses it.

use crate::{Clock, Limits, NotObeyed, http, node::Node, telemetry};
use attestation::{Digest, EvidenceError, EvidenceProvider, VerifyError, manifest::GpuCode};
use engine::Engine;
use listener::{Accept, Drained};
use policy::{InForce, Reason};
use protocol::PaddingProfile;
use std::{convert::Infallible, path::PathBuf, sync::Arc, time::Duration};
use tokio::time::sleep;

/// How much longer than an answer may take a silent connection is kept.
const STALL_MARGIN: Duration = Duration::from_secs(30);

/// Least time between two looks at the key epochs, for a clock that someone else turns.
const SHORTEST_TURN: Duration = Duration::from_millis(100);

/// Most time until a runtime that nobody asks notices that a lease has ended.
const LONGEST_TURN: Duration = Duration::from_secs(1);

/// What a runtime is told about itself.
#[derive(Clone, Debug)]
pub struct Parts {
    /// The node's name: 1 to 63 of `a-z 0-9 -`.
    pub node: String,
    /// What it obeys, signed under a root.
    pub in_force: InForce,
    /// Country of the machine (ISO 3166-1 alpha-2), if known; an inventory in force has the last word.
    pub residency: Option<String>,
    /// SHA-256 of the AIBOM of what it serves, if there is one.
    pub aibom_digest: Option<Digest>,
    /// File of the collateral bundle that goes out with the evidence, for verifiers that have none of their own; read for each challenge.
    pub collateral: Option<PathBuf>,
    /// How requests and answers are padded; stated in the manifest.
    pub padding: PaddingProfile,
    /// SHA-256 of the executable.
    pub runtime_digest: Digest,
    /// What computes on the GPUs; stated in the manifest, the kernels of it in receipts too. `None` where the CPU does.
    pub gpu: Option<GpuCode>,
    /// Limits.
    pub limits: Limits,
}

/// Why a runtime does not start; `code()` is stable.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum StartError {
    /// The node's name.
    #[error("the node's name must be 1 to 63 of a-z, 0-9 and -")]
    NodeName,
    /// A policy that no root signed: there is nothing for the manifest to name.
    #[error("the policy was not verified under a root")]
    PolicyRoot,
    /// No entropy.
    #[error("the system gave no random bytes")]
    Random,
    /// The platform gave no evidence: nothing would be served that anyone could verify.
    #[error(transparent)]
    Evidence(#[from] EvidenceError),
    /// The platform's evidence cannot be read: nobody could verify it.
    #[error("the platform's evidence cannot be read: {0}")]
    Malformed(#[from] VerifyError),
    /// The inventory in force places this machine in another country than the configuration.
    #[error("residency is {configured:?}; the inventory in force places this machine in {listed}")]
    Residency {
        /// As configured.
        configured: String,
        /// As listed.
        listed: String,
    },
    /// The policy that it would obey denies what it states of itself: nobody who judges by it would admit this node.
    #[error("the policy denies what this runtime states of itself:{}", lines(.0))]
    Policy(Vec<Reason>),
}

fn lines(reasons: &[Reason]) -> String {
    let line = |reason: &Reason| {
        let (rule, expected, actual) = (&reason.rule, &reason.expected, &reason.actual);
        format!(
            "\n  {}: {rule}: {actual}; {expected} is asked for",
            reason.code
        )
    };
    reasons.iter().map(line).collect()
}

impl StartError {
    /// Stable code.
    #[must_use]
    pub const fn code(&self) -> &'static str {
        match self {
            Self::NodeName => "start.node_name",
            Self::PolicyRoot => "start.policy_root",
            Self::Random => "start.random",
            Self::Evidence(EvidenceError::Unavailable(_)) => "evidence.unavailable",
            Self::Evidence(EvidenceError::Mismatch) => "evidence.mismatch",
            Self::Malformed(_) => "evidence.malformed",
            Self::Residency { .. } => "start.residency",
            Self::Policy(_) => "start.policy",
        }
    }
}

/// A runtime with its identity made and its platform asked, ready to serve.
pub struct Runtime {
    node: Arc<Node>,
}

impl Runtime {
    /// Makes identity, manifest and keys, and asks the platform for evidence once.
    pub fn new(
        parts: Parts,
        engine: Arc<dyn Engine>,
        provider: Arc<dyn EvidenceProvider>,
        clock: Clock,
    ) -> Result<Self, StartError> {
        if !is_node_name(&parts.node) {
            return Err(StartError::NodeName);
        }
        let node = Node::new(parts, engine, provider, clock)?;
        node.check_residency()?;
        node.check_policy()?;
        Ok(Self {
            node: Arc::new(node),
        })
    }

    /// Where later documents go, while it serves too.
    #[must_use]
    pub fn obedience(&self) -> Obedience {
        Obedience(Arc::clone(&self.node))
    }

    /// Serves on `socket` until `shutdown`, then finishes what is under way.
    pub async fn serve(self, socket: impl Accept, shutdown: impl Future<Output = ()>) -> Drained {
        if let Ok(address) = socket.local_addr() {
            telemetry::serving(
                address,
                &self.node.name,
                self.node.standing.obeyed().stated().version,
            );
        }
        let limits = self.listener_limits();
        let node = Arc::clone(&self.node);
        let service = move |request| http::handle(Arc::clone(&node), request);
        let stopping = async {
            shutdown.await;
            telemetry::draining();
        };
        let drained = tokio::select! {
            drained = listener::serve(socket, None, limits, service, stopping) => drained,
            never = keep_turning(&self.node) => match never {},
        };
        telemetry::stopped(drained.cut);
        drained
    }

    fn listener_limits(&self) -> listener::Limits {
        let limits = &self.node.limits;
        listener::Limits {
            max_connections: limits.max_connections,
            stall_timeout: limits.answer_timeout.saturating_add(STALL_MARGIN),
            drain_timeout: limits.drain_timeout,
            ..listener::Limits::default()
        }
    }
}

/// Takes later documents on a runtime's behalf.
#[derive(Clone)]
pub struct Obedience(Arc<Node>);

impl Obedience {
    /// Has the runtime obey `in_force` from now on: a stop in it wipes all channel keys before this returns, a start begins an epoch with
    /// fresh ones. Older documents and those of another root are refused, and change nothing.
    pub fn obey(&self, in_force: InForce) -> Result<(), NotObeyed> {
        let obeyed = self.0.obey(in_force);
        obeyed.inspect_err(|error| telemetry::policy_not_taken(error.code(), error))
    }
}

/// Begins and ends key epochs in time, and notices that a lease has ended, so that an idle runtime has its keys wiped too.
pub(crate) async fn keep_turning(node: &Node) -> Infallible {
    loop {
        node.look();
        let next = node.epochs.turn(node.clock.moment());
        let wait = next.saturating_duration_since(node.clock.monotonic());
        sleep(wait.clamp(SHORTEST_TURN, LONGEST_TURN)).await;
    }
}

pub(crate) fn is_node_name(name: &str) -> bool {
    let allowed = |byte: u8| matches!(byte, b'a'..=b'z' | b'0'..=b'9' | b'-');
    (1..=63).contains(&name.len()) && name.bytes().all(allowed)
}
