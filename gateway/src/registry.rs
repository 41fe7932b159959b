//! The nodes of the static list, and which of them are admitted now. Only an [`Admitted`] puts a node on offer.

use crate::{
    NodeName,
    config::{AppraisalConfig, NodeConfig, RelayConfig},
    cut::{Cut, Cutter},
    problem::Problem,
    slots::Slots,
};
use arc_swap::{ArcSwap, ArcSwapOption, Guard};
use attestation::UnixTime;
use hyper::http::uri::Authority;
use policy::Admitted;
use serde::Serialize;
use std::{
    pin::pin,
    sync::{
        Arc,
        atomic::{AtomicU64, AtomicUsize, Ordering},
    },
    task::{Context, Waker},
};
use tokio::sync::Notify;

/// Nobody has looked at the node yet.
const PENDING: &str = "appraisal.pending";
/// What was seen of the node is too old.
const OVER: &str = "appraisal.over";

/// One configured node.
#[derive(Debug)]
pub(crate) struct Node {
    pub(crate) name: NodeName,
    pub(crate) upstream: Authority,
    pub(crate) relays: Slots,
    pub(crate) challenges: Slots,
    weight: u32,
    verdict: ArcSwap<Verdict>,
    /// Outlives the offer: exchanges under way began under it.
    last_admission: ArcSwapOption<Admitted>,
    highest_policy_version: AtomicU64,
    cutter: Cutter,
    woken: Notify,
}

/// What the gateway says of a node.
#[derive(Clone, Debug)]
pub(crate) enum Verdict {
    /// Nothing, since it could not look; with a stable code.
    Unknown(&'static str),
    /// May be used until [`Admitted::not_after`].
    Admitted(Arc<Admitted>),
    /// Evidence, policy or key list refuse it; with the stable code of the step.
    Refused(&'static str),
}

impl Verdict {
    /// Why the node is not admitted; `None` if it is.
    pub(crate) const fn code(&self) -> Option<&'static str> {
        match self {
            Self::Unknown(code) | Self::Refused(code) => Some(code),
            Self::Admitted(_) => None,
        }
    }
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
pub(crate) struct NodeRegistry {
    nodes: Vec<Arc<Node>>,
    /// Lists of offers given so far: whose turn it is among nodes that stand alike.
    turn: AtomicUsize,
}

/// A node's work under way, and what it can carry of it.
#[derive(Clone, Copy, Debug)]
struct Load {
    in_flight: u64,
    weight: u64,
}

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
                verdict: ArcSwap::from_pointee(Verdict::Unknown(PENDING)),
                last_admission: ArcSwapOption::empty(),
                highest_policy_version: AtomicU64::new(0),
                cutter: Cutter::default(),
                woken: Notify::new(),
            })
        };
        Self {
            nodes: nodes.iter().map(node).collect(),
            turn: AtomicUsize::new(0),
        }
    }

    pub(crate) fn nodes(&self) -> &[Arc<Node>] {
        &self.nodes
    }

    /// The node that `name` names, admitted or not.
    pub(crate) fn find(&self, name: &str) -> Result<&Node, Problem> {
        let mut nodes = self.nodes.iter().map(Arc::as_ref);
        nodes
            .find(|node| node.name.as_str() == name)
            .ok_or(Problem::UnknownNode)
    }

    pub(crate) fn admitted_count(&self, now: UnixTime) -> usize {
        let admitted = self.nodes.iter().filter(|node| node.is_admitted(now));
        admitted.count()
    }

    /// Offers of the nodes admitted at `now`, best first: the one that has the least work for its weight once it gets another request.
    /// Nodes that stand alike take turns.
    pub(crate) fn offers(&self, now: UnixTime) -> Vec<Offer> {
        let admitted = self.nodes.iter().filter(|node| node.is_admitted(now));
        let loaded = admitted.map(|node| (node.load(), node)).collect();
        let turn = self.turn.fetch_add(1, Ordering::Relaxed);
        let ranked = ranked(loaded, turn);
        ranked.into_iter().map(|node| node.offer()).collect()
    }
}

/// Least load first; within a group of equals the first place goes around with `turn`.
fn ranked<T>(mut nodes: Vec<(Load, T)>, turn: usize) -> Vec<T> {
    nodes.sort_by(|(one, _), (other, _)| one.cmp(*other));
    for equals in nodes.chunk_by_mut(|(one, _), (other, _)| one.cmp(*other).is_eq()) {
        equals.rotate_left(turn.checked_rem(equals.len()).unwrap_or(0));
    }
    nodes.into_iter().map(|(_, node)| node).collect()
}

impl Load {
    /// Compares `(in_flight + 1) / weight` as fractions: what each would carry with one request more.
    fn cmp(self, other: Self) -> std::cmp::Ordering {
        let carried = |load: Self, of: Self| (load.in_flight + 1).saturating_mul(of.weight);
        carried(self, other).cmp(&carried(other, self))
    }
}

impl Node {
    /// Puts the node on offer until `admitted.not_after()`.
    pub(crate) fn admit(&self, admitted: Admitted) {
        let admitted = Arc::new(admitted);
        self.last_admission.store(Some(Arc::clone(&admitted)));
        self.verdict.store(Arc::new(Verdict::Admitted(admitted)));
    }

    /// What the node was admitted by at last, though it may be off offer now.
    pub(crate) fn last_admission(&self) -> Option<Arc<Admitted>> {
        self.last_admission.load_full()
    }

    /// Takes the node off offer.
    pub(crate) fn take_off(&self, verdict: Verdict) {
        self.verdict.store(Arc::new(verdict));
    }

    /// What the last look said.
    pub(crate) fn verdict(&self) -> Guard<Arc<Verdict>> {
        self.verdict.load()
    }

    /// What holds at `now`: an admission ends by itself.
    pub(crate) fn verdict_at(&self, now: UnixTime) -> Verdict {
        match self.verdict().as_ref() {
            Verdict::Admitted(admitted) if now >= admitted.not_after() => Verdict::Unknown(OVER),
            verdict => verdict.clone(),
        }
    }

    pub(crate) fn is_admitted(&self, now: UnixTime) -> bool {
        self.seconds_left(now) > 0
    }

    /// Seconds from `now` to the end of the admission; 0 without one.
    pub(crate) fn seconds_left(&self, now: UnixTime) -> u64 {
        match self.verdict().as_ref() {
            Verdict::Admitted(admitted) => admitted.not_after().since(now),
            _ => 0,
        }
    }

    /// For one exchange with this node: hears if it must end.
    pub(crate) fn held(&self) -> Cut {
        self.cutter.held()
    }

    /// Ends every exchange under way with this node.
    pub(crate) fn cut(&self) {
        self.cutter.cut();
    }

    /// Has the node appraised now.
    pub(crate) fn wake(&self) {
        self.woken.notify_one();
    }

    /// Forgets who wanted it appraised until now: the appraisal that begins is for them.
    pub(crate) fn hush(&self) {
        let mut context = Context::from_waker(Waker::noop());
        let _ = pin!(self.woken.notified()).poll(&mut context);
    }

    /// Waits until somebody wants it appraised now.
    pub(crate) async fn woken(&self) {
        self.woken.notified().await;
    }

    /// Notes the policy version that the node has signed.
    pub(crate) fn obeys(&self, policy_version: u64) {
        self.highest_policy_version
            .fetch_max(policy_version, Ordering::AcqRel);
    }

    /// The highest policy version that the node has signed in the life of this process.
    pub(crate) fn highest_policy_version(&self) -> u64 {
        self.highest_policy_version.load(Ordering::Acquire)
    }

    /// Work under way, and the weight; a snapshot, since requests come and go meanwhile.
    fn load(&self) -> Load {
        Load {
            in_flight: self.relays.in_use() as u64,
            weight: u64::from(self.weight),
        }
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

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::HashSet;

    fn load(in_flight: u64, weight: u64) -> Load {
        Load { in_flight, weight }
    }

    /// The names in the order of their offers.
    fn order(nodes: &[(Load, &'static str)], turn: usize) -> Vec<&'static str> {
        ranked(nodes.to_vec(), turn)
    }

    #[test]
    fn the_least_work_for_its_weight_comes_first() {
        let nodes = [(load(1, 1), "a"), (load(0, 1), "b"), (load(7, 2), "c")];
        assert_eq!(order(&nodes, 0), ["b", "a", "c"]);
        let idle = [(load(0, 1), "small"), (load(0, 1000), "large")];
        for turn in 0..3 {
            assert_eq!(order(&idle, turn), ["large", "small"]);
        }
        let busy = [(load(998, 1000), "large"), (load(0, 1), "small")];
        assert_eq!(order(&busy, 0), ["large", "small"]);
    }

    #[test]
    fn equals_take_turns_and_the_others_keep_their_places() {
        let nodes = [
            (load(3, 1), "busy"),
            (load(0, 1), "a"),
            (load(1, 2), "b"),
            (load(2, 3), "c"),
        ];
        let orders: Vec<_> = (0..4).map(|turn| order(&nodes, turn)).collect();
        assert_eq!(orders[0], ["a", "b", "c", "busy"]);
        assert_eq!(orders[1], ["b", "c", "a", "busy"]);
        assert_eq!(orders[2], ["c", "a", "b", "busy"]);
        assert_eq!(orders[3], orders[0]);
    }

    /// Every client asks for offers and begins a request with the first; the shares follow the weights.
    #[test]
    fn requests_spread_by_weight() {
        let mut nodes = [(load(0, 1), 0), (load(0, 2), 1), (load(0, 5), 2)];
        for turn in 0..800 {
            let first = ranked(nodes.to_vec(), turn)[0];
            nodes[first].0.in_flight += 1;
        }
        assert_eq!(nodes.map(|(load, _)| load.in_flight), [100, 200, 500]);
    }

    #[test]
    fn extreme_weights_and_loads_compare_without_overflow() {
        let nodes = [
            (load(u64::from(u32::MAX), 1), "full"),
            (load(0, u64::from(u32::MAX)), "idle"),
        ];
        assert_eq!(order(&nodes, 1), ["idle", "full"]);
        assert!(order(&[], 7).is_empty());
    }

    #[test]
    fn each_offer_has_paths_of_its_own() {
        let node = |name: &str| Node {
            name: NodeName::parse(name).unwrap(),
            upstream: "127.0.0.1:1".parse().unwrap(),
            relays: Slots::new(1),
            challenges: Slots::new(1),
            weight: 1,
            verdict: ArcSwap::from_pointee(Verdict::Unknown(PENDING)),
            last_admission: ArcSwapOption::empty(),
            highest_policy_version: AtomicU64::new(0),
            cutter: Cutter::default(),
            woken: Notify::new(),
        };
        let mut paths = HashSet::new();
        for name in ["a", "b"] {
            let offer = node(name).offer();
            for path in [offer.relay, offer.challenge, offer.keys] {
                assert!(path.starts_with(&format!("/narthex/v1/nodes/{name}/")));
                assert!(paths.insert(path));
            }
        }
    }
}
