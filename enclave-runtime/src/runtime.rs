//! The runtime as its binary, or another composition, uses it.

use crate::{Clock, Limits, http, node::Node, telemetry};
use attestation::{Digest, EvidenceError, EvidenceProvider, UnixTime};
use engine::Engine;
use listener::{Accept, Drained};
use policy::{AllowList, Policy, Tenant, TrustRoot};
use protocol::PaddingProfile;
use std::{convert::Infallible, path::PathBuf, sync::Arc, time::Duration};
use tokio::time::sleep;

/// How much longer than an answer may take a silent connection is kept.
const STALL_MARGIN: Duration = Duration::from_secs(30);

/// Least time between two looks at the key epochs, for a clock that someone else turns.
const SHORTEST_TURN: Duration = Duration::from_millis(100);

/// What a runtime is told about itself.
#[derive(Clone, Debug)]
pub struct Parts {
    /// The node's name: 1 to 63 of `a-z 0-9 -`.
    pub node: String,
    /// The policy that it obeys.
    pub policy: PolicyInForce,
    /// Country of the machine (ISO 3166-1 alpha-2), if known.
    pub residency: Option<String>,
    /// File of the collateral bundle that goes out with the evidence, for verifiers that have none of their own; read for each challenge.
    pub collateral: Option<PathBuf>,
    /// How requests and answers are padded; stated in the manifest.
    pub padding: PaddingProfile,
    /// SHA-256 of the executable.
    pub runtime_digest: Digest,
    /// Limits.
    pub limits: Limits,
}

/// The policy that a runtime states as the one it obeys.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PolicyInForce {
    /// The document's version.
    pub version: u64,
    /// SHA-256 of the document.
    pub digest: Digest,
    /// Digest of the root (keys and threshold) that signed it.
    pub root: Digest,
    /// How old an attestation may be that a client relies on.
    pub max_age_seconds: u64,
    /// End of the document's life: from then on nothing is served under it.
    pub expires: UnixTime,
    /// The keys of the tenants that it lists; `None`: it lists none, and whoever reaches the runtime is served.
    pub tenants: Option<Vec<[u8; 32]>>,
}

impl PolicyInForce {
    /// What a runtime needs to know of `policy`, which `root` signed.
    #[must_use]
    pub fn of(policy: &Policy, root: &TrustRoot) -> Self {
        let keys = |tenants: &AllowList<Tenant>| tenants.iter().map(|tenant| tenant.key).collect();
        Self {
            version: policy.version(),
            digest: *policy.digest(),
            root: root.digest(),
            max_age_seconds: policy.max_age_seconds(),
            expires: policy.expires(),
            tenants: policy.tenants().map(keys),
        }
    }

    /// Whether requests of the tenant with `key` are served; `None`: of whoever names no tenant.
    pub(crate) fn serves(&self, key: Option<&[u8; 32]>) -> bool {
        match &self.tenants {
            Some(tenants) => key.is_some_and(|key| tenants.contains(key)),
            None => true,
        }
    }
}

/// Why a runtime does not start; `code()` is stable.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum StartError {
    /// The node's name.
    #[error("the node's name must be 1 to 63 of a-z, 0-9 and -")]
    NodeName,
    /// No entropy.
    #[error("the system gave no random bytes")]
    Random,
    /// The platform gave no evidence: nothing would be served that anyone could verify.
    #[error(transparent)]
    Evidence(#[from] EvidenceError),
}

impl StartError {
    /// Stable code.
    #[must_use]
    pub const fn code(&self) -> &'static str {
        match self {
            Self::NodeName => "start.node_name",
            Self::Random => "start.random",
            Self::Evidence(EvidenceError::Unavailable(_)) => "evidence.unavailable",
            Self::Evidence(EvidenceError::Mismatch) => "evidence.mismatch",
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
        let node = Node::new(parts, engine, provider, clock);
        node.probe()?;
        Ok(Self {
            node: Arc::new(node),
        })
    }

    /// Serves on `socket` until `shutdown`, then finishes what is under way.
    pub async fn serve(self, socket: impl Accept, shutdown: impl Future<Output = ()>) -> Drained {
        if let Ok(address) = socket.local_addr() {
            telemetry::serving(address, &self.node.name, self.node.policy.version);
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

/// Begins and ends key epochs in time, so that an idle runtime has its keys wiped too.
pub(crate) async fn keep_turning(node: &Node) -> Infallible {
    loop {
        let next = node.epochs.turn(node.clock.moment());
        let wait = next.saturating_duration_since(node.clock.monotonic());
        sleep(wait.max(SHORTEST_TURN)).await;
    }
}

pub(crate) fn is_node_name(name: &str) -> bool {
    let allowed = |byte: u8| matches!(byte, b'a'..=b'z' | b'0'..=b'9' | b'-');
    (1..=63).contains(&name.len()) && name.bytes().all(allowed)
}
