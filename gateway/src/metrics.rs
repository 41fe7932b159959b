//! What the gateway counts. Labels are routes, statuses, codes and names of nodes; never who asked, never anything secret.

use crate::{
    AppraisalError, NodeName,
    registry::NodeRegistry,
    standing::{LEASE, Standing},
    verdict_report::Side,
};
use attestation::UnixTime;
use hyper::StatusCode;
use listener::Counters;
use prometheus_client::{
    collector::Collector,
    encoding::{DescriptorEncoder, EncodeLabelSet, EncodeMetric, text},
    metrics::{
        counter::{ConstCounter, Counter},
        family::Family,
        gauge::Gauge,
        histogram::{Histogram, exponential_buckets},
    },
    registry::Registry,
};
use std::{
    fmt,
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

/// All metrics.
#[derive(Debug)]
pub(crate) struct Metrics {
    registry: Registry,
    requests: Family<RequestLabels, Counter>,
    appraisals: Family<AppraisalLabels, Counter>,
    admitted: Family<NodeLabels, Gauge>,
    in_flight: Gauge,
    relay_ends: Family<EndLabels, Counter>,
    to_node_bytes: Counter,
    to_client_bytes: Counter,
    answer_seconds: Histogram,
    policy: PolicyMetrics,
    verdict_differences: Family<DifferenceLabels, Counter>,
}

type NoLabels = [(&'static str, &'static str); 0];

/// What is in force, and what is refused in its place.
#[derive(Debug, Default)]
struct PolicyMetrics {
    alarm: Family<CodeLabels, Gauge>,
    /// The code of the alarm, if there is one.
    alarmed: Mutex<Option<&'static str>>,
    version: Gauge,
    orders_serial: Gauge,
    /// Of no sample while nothing is signed.
    timestamp_age: Family<NoLabels, Gauge>,
}

#[derive(Clone, Debug, Hash, PartialEq, Eq, EncodeLabelSet)]
struct RequestLabels {
    route: &'static str,
    status: u32,
}

#[derive(Clone, Debug, Hash, PartialEq, Eq, EncodeLabelSet)]
struct AppraisalLabels {
    node: String,
    code: &'static str,
}

#[derive(Clone, Debug, Hash, PartialEq, Eq, EncodeLabelSet)]
struct NodeLabels {
    node: String,
}

#[derive(Clone, Debug, Hash, PartialEq, Eq, EncodeLabelSet)]
struct EndLabels {
    end: &'static str,
}

#[derive(Clone, Debug, Hash, PartialEq, Eq, EncodeLabelSet)]
struct CodeLabels {
    code: &'static str,
}

#[derive(Clone, Debug, Hash, PartialEq, Eq, EncodeLabelSet)]
struct DifferenceLabels {
    node: String,
    side: &'static str,
}

impl Metrics {
    pub(crate) fn new(connections: Arc<Counters>) -> Self {
        // From 5 ms to about 160 s.
        let answer_seconds = Histogram::new(exponential_buckets(0.005, 2.0, 16));
        let mut metrics = Self {
            registry: Registry::with_prefix("narthex"),
            requests: Family::default(),
            appraisals: Family::default(),
            admitted: Family::default(),
            in_flight: Gauge::default(),
            relay_ends: Family::default(),
            to_node_bytes: Counter::default(),
            to_client_bytes: Counter::default(),
            answer_seconds,
            policy: PolicyMetrics::default(),
            verdict_differences: Family::default(),
        };
        metrics.policy.register(&mut metrics.registry);
        metrics.registry.register(
            "verdict_differences",
            "Verdicts of clients on nodes that are not the gateway's, by who refuses",
            metrics.verdict_differences.clone(),
        );
        metrics.register(Connections(connections));
        metrics
    }

    fn register(&mut self, connections: Connections) {
        let registry = self.registry.sub_registry_with_prefix("gateway");
        registry.register_collector(Box::new(connections));
        registry.register("requests", "Requests answered", self.requests.clone());
        registry.register(
            "appraisals",
            "Appraisals by outcome",
            self.appraisals.clone(),
        );
        registry.register(
            "node_admitted",
            "1 while the node is on offer",
            self.admitted.clone(),
        );
        registry.register(
            "relay_in_flight",
            "Exchanges under way",
            self.in_flight.clone(),
        );
        registry.register(
            "relay_ends",
            "Relayed answers by how they ended",
            self.relay_ends.clone(),
        );
        registry.register(
            "relay_to_node_bytes",
            "Envelope bytes relayed",
            self.to_node_bytes.clone(),
        );
        registry.register(
            "relay_to_client_bytes",
            "Answer bytes relayed",
            self.to_client_bytes.clone(),
        );
        let help = "Time until a node began to answer";
        registry.register("relay_answer_seconds", help, self.answer_seconds.clone());
    }

    pub(crate) fn answered(&self, route: &'static str, status: StatusCode) {
        let status = status.as_u16().into();
        self.requests
            .get_or_create(&RequestLabels { route, status })
            .inc();
    }

    pub(crate) fn appraised<T>(&self, node: &NodeName, outcome: &Result<T, AppraisalError>) {
        let code = outcome
            .as_ref()
            .map_or_else(AppraisalError::code, |_| "admitted");
        let node = node.to_string();
        self.appraisals
            .get_or_create(&AppraisalLabels { node, code })
            .inc();
    }

    pub(crate) const fn in_flight(&self) -> &Gauge {
        &self.in_flight
    }

    pub(crate) fn relay_ended(&self, end: &'static str) {
        self.relay_ends.get_or_create(&EndLabels { end }).inc();
    }

    pub(crate) fn relayed_to_node(&self, bytes: usize) {
        self.to_node_bytes.inc_by(bytes as u64);
    }

    pub(crate) fn relayed_to_client(&self, bytes: usize) {
        self.to_client_bytes.inc_by(bytes as u64);
    }

    pub(crate) fn answered_after(&self, elapsed: Duration) {
        self.answer_seconds.observe(elapsed.as_secs_f64());
    }

    pub(crate) fn verdicts_differ(&self, node: &NodeName, side: Side) {
        let (node, side) = (node.to_string(), side.as_str());
        self.verdict_differences
            .get_or_create(&DifferenceLabels { node, side })
            .inc();
    }

    /// Raises the alarm about what is published, or ends it; whether that is news.
    pub(crate) fn alarm(&self, code: Option<&'static str>) -> bool {
        self.policy.alarm(code)
    }

    /// OpenMetrics text; which nodes are admitted and how old the timestamp is are looked up at `now`.
    pub(crate) fn encode(
        &self,
        nodes: &NodeRegistry,
        standing: &Standing,
        now: UnixTime,
    ) -> Result<String, fmt::Error> {
        self.policy.look(standing, now);
        for node in nodes.nodes() {
            let labels = NodeLabels {
                node: node.name.to_string(),
            };
            self.admitted
                .get_or_create(&labels)
                .set(node.is_admitted(now).into());
        }
        let mut encoded = String::new();
        text::encode(&mut encoded, &self.registry)?;
        Ok(encoded)
    }
}

impl PolicyMetrics {
    fn register(&self, registry: &mut Registry) {
        registry.register(
            "policy_alarm",
            "1 while newer documents are refused and the last good ones stay in force",
            self.alarm.clone(),
        );
        let help = "Version of the policy in force";
        registry.register("policy_version", help, self.version.clone());
        let help = "Serial of the last order in force, 0 without any";
        registry.register("policy_orders_serial", help, self.orders_serial.clone());
        let help = "Age of the timestamp in force";
        registry.register(
            "policy_timestamp_age_seconds",
            help,
            self.timestamp_age.clone(),
        );
    }

    /// Raises or ends the alarm; whether that is news.
    fn alarm(&self, code: Option<&'static str>) -> bool {
        let mut alarmed = self.alarmed.lock().unwrap_or_else(PoisonError::into_inner);
        let is_news = *alarmed != code;
        *alarmed = code;
        self.alarm.clear();
        if let Some(code) = code {
            self.alarm.get_or_create(&CodeLabels { code }).set(1);
        }
        is_news
    }

    fn look(&self, standing: &Standing, now: UnixTime) {
        let in_force = standing.in_force();
        self.version.set(signed(in_force.policy().version()));
        self.orders_serial.set(signed(in_force.orders().serial()));
        let lease = CodeLabels { code: LEASE };
        if standing.lease_is_over(now) {
            self.alarm.get_or_create(&lease).set(1);
        } else {
            self.alarm.remove(&lease);
        }
        self.timestamp_age.clear();
        if let Some(timestamp) = in_force.timestamp() {
            let age = now.since(timestamp.issued);
            self.timestamp_age.get_or_create(&[]).set(signed(age));
        }
    }
}

fn signed(number: u64) -> i64 {
    i64::try_from(number).unwrap_or(i64::MAX)
}

/// The public listener's counters, read when scraped.
#[derive(Debug)]
struct Connections(Arc<Counters>);

impl Collector for Connections {
    fn encode(&self, mut encoder: DescriptorEncoder<'_>) -> Result<(), fmt::Error> {
        let counts = [
            (
                "connections_accepted",
                "Connections accepted",
                self.0.accepted(),
            ),
            (
                "connections_refused",
                "Connections closed over the cap",
                self.0.refused(),
            ),
        ];
        for (name, help, count) in counts {
            let counter = ConstCounter::new(count);
            let metric = encoder.encode_descriptor(name, help, None, counter.metric_type())?;
            counter.encode(metric)?;
        }
        Ok(())
    }
}
