//! The nodes of the static list, and which of them are admitted now. Only an [`Admitted`] puts a node on offer.

use crate::{
    NodeName,
    config::{AppraisalConfig, NodeConfig, RelayConfig},
    problem::Problem,
    slots::Slots,
};
use arc_swap::ArcSwapOption;
use attestation::UnixTime;
use hyper::http::uri::Authority;
use policy::Admitted;
use serde::Serialize;
use std::sync::{
    Arc,
    atomic::{AtomicU64, Ordering},
};

/// One configured node.
#[derive(Debug)]
pub(crate) struct Node {
    pub(crate) name: NodeName,
    pub(crate) upstream: Authority,
    pub(crate) relays: Slots,
    pub(crate) challenges: Slots,
    weight: u32,
    admission: ArcSwapOption<Admitted>,
    highest_policy_version: AtomicU64,
}

/// What a client is told about one admitted node.
#[derive(Debug, Serialize)]
pub(crate) struct Offer {
    node: String,
    relay: String,
    challenge: String,
    keys: String,
    weight: u32,
}

/// All configured nodes.
#[derive(Debug)]
pub(crate) struct NodeRegistry(Vec<Arc<Node>>);

impl NodeRegistry {
    pub(crate) fn new(
        nodes: &[NodeConfig],
        relay: &RelayConfig,
        appraisal: &AppraisalConfig,
    ) -> Self {
        let node = |config: &NodeConfig| {
            Arc::new(Node {
                name: config.name.clone(),
                upstream: config.upstream.clone(),
                relays: Slots::new(relay.max_in_flight_per_node),
                challenges: Slots::new(appraisal.max_challenges_per_node),
                weight: config.weight,
                admission: ArcSwapOption::empty(),
                highest_policy_version: AtomicU64::new(0),
            })
        };
        Self(nodes.iter().map(node).collect())
    }

    pub(crate) fn nodes(&self) -> &[Arc<Node>] {
        &self.0
    }

    /// The node that `name` names, if it is admitted at `now`.
    pub(crate) fn admitted(&self, name: &str, now: UnixTime) -> Result<&Arc<Node>, Problem> {
        let named = self.0.iter().find(|node| node.name.as_str() == name);
        let node = named.ok_or(Problem::UnknownNode)?;
        node.is_admitted(now)
            .then_some(node)
            .ok_or(Problem::NodeNotAdmitted)
    }

    pub(crate) fn admitted_count(&self, now: UnixTime) -> usize {
        self.0.iter().filter(|node| node.is_admitted(now)).count()
    }

    /// Offers of the nodes admitted at `now`, the one with the least work for its weight first.
    pub(crate) fn offers(&self, now: UnixTime) -> Vec<Offer> {
        let admitted = self.0.iter().filter(|node| node.is_admitted(now));
        let mut ranked: Vec<_> = admitted.map(|node| (node.load(), node)).collect();
        ranked.sort_by(|(one, node), (other, next)| {
            one.total_cmp(other).then(next.weight.cmp(&node.weight))
        });
        ranked.into_iter().map(|(_, node)| node.offer()).collect()
    }
}

impl Node {
    /// Puts the node on offer until `admitted.not_after()`.
    pub(crate) fn admit(&self, admitted: Admitted, policy_version: u64) {
        self.highest_policy_version
            .fetch_max(policy_version, Ordering::AcqRel);
        self.admission.store(Some(Arc::new(admitted)));
    }

    /// Takes the node off offer.
    pub(crate) fn drop_admission(&self) {
        self.admission.store(None);
    }

    pub(crate) fn is_admitted(&self, now: UnixTime) -> bool {
        let admission = self.admission.load();
        admission
            .as_ref()
            .is_some_and(|admitted| now < admitted.not_after())
    }

    /// Seconds from `now` to the end of the admission; 0 without one.
    pub(crate) fn seconds_left(&self, now: UnixTime) -> u64 {
        let admission = self.admission.load();
        admission
            .as_ref()
            .map_or(0, |admitted| admitted.not_after().since(now))
    }

    /// The highest policy version that the node has signed in the life of this process.
    pub(crate) fn highest_policy_version(&self) -> u64 {
        self.highest_policy_version.load(Ordering::Acquire)
    }

    /// Work under way per weight.
    fn load(&self) -> f64 {
        let in_use = u32::try_from(self.relays.in_use()).unwrap_or(u32::MAX);
        f64::from(in_use) / f64::from(self.weight)
    }

    fn offer(&self) -> Offer {
        let path = |leaf| format!("/narthex/v1/nodes/{}/{leaf}", self.name);
        Offer {
            node: self.name.to_string(),
            relay: path("relay"),
            challenge: path("challenge"),
            keys: path("keys"),
            weight: self.weight,
        }
    }
}
