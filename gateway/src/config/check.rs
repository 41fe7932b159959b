//! The way from the file to a [`Config`]: every value is looked at, every mistake is told.

use super::{
    AppraisalConfig, Config, LogConfig, LogFormat, Mistakes, NodeConfig, RelayConfig, TlsFiles,
    document::{ApiKey, Appraisal, Document, ListenerLimits, Log, Node, Relay},
    mistakes::Checks,
};
use crate::{NodeName, api_key::KeyDigest};
use hyper::http::uri::Authority;
use listener::Limits;
use std::{collections::HashSet, hash::Hash, net::SocketAddr, time::Duration};

const MAX_WEIGHT: u32 = 1000;
/// Upper bound of every time-out: a day.
const MAX_MS: u64 = 24 * 60 * 60 * 1000;
/// Upper bound of every count.
const MAX_COUNT: u64 = 1_000_000;
/// Upper bound of every size in bytes.
const MAX_BYTES: u64 = 1 << 32;

impl Document {
    /// The configuration, or all mistakes.
    pub(super) fn check(self) -> Result<Config, Mistakes> {
        let checks = Checks::default();
        let checked = self.checked(&checks);
        checks.finish(checked)
    }

    /// Checks everything before it gives up on anything.
    fn checked(self, checks: &Checks) -> Option<Config> {
        let listen = address(checks, "listen", &self.listen);
        let admin_listen = address(checks, "admin_listen", &self.admin_listen);
        let policy = self.policy.check(checks);
        let api_keys = check_api_keys(checks, &self.api_keys);
        let nodes = check_nodes(checks, &self.nodes);
        let collateral = self.appraisal.collateral.clone();
        let appraisal = self.appraisal.check(checks);
        let relay = self.relay.check(checks);
        let limits = self.limits.check(checks, relay.as_ref());
        let log = self.log.check(checks);
        Some(Config {
            listen: listen?,
            admin_listen: admin_listen?,
            tls: TlsFiles {
                certificate: self.tls.certificate,
                key: self.tls.key,
            },
            policy: policy?,
            api_keys: api_keys?,
            nodes: nodes?,
            appraisal: appraisal?,
            collateral,
            relay: relay?,
            limits: limits?,
            log: log?,
        })
    }
}

fn check_api_keys(checks: &Checks, keys: &[ApiKey]) -> Option<Vec<KeyDigest>> {
    let some = (!keys.is_empty()).then_some(());
    let some = checks.some(
        "api_keys",
        some,
        "needs at least one, or nobody can use the gateway",
    );
    unique(checks, "api_keys", "name", keys.iter().map(|key| &key.name));
    let digests: Vec<_> = keys
        .iter()
        .enumerate()
        .map(|(index, key)| key.check(checks, index))
        .collect();
    some.and_then(|()| digests.into_iter().collect())
}

impl ApiKey {
    fn check(&self, checks: &Checks, index: usize) -> Option<KeyDigest> {
        let mut digest = [0; 32];
        let decoded = hex::decode_to_slice(&self.sha256, &mut digest).ok();
        let field = format!("api_keys[{index}].sha256");
        checks.some(
            &field,
            decoded,
            "needs 64 hexadecimal digits: the SHA-256 of the key",
        )?;
        Some(KeyDigest(digest))
    }
}

fn check_nodes(checks: &Checks, nodes: &[Node]) -> Option<Vec<NodeConfig>> {
    let some = checks.some(
        "nodes",
        (!nodes.is_empty()).then_some(()),
        "needs at least one",
    );
    unique(checks, "nodes", "name", nodes.iter().map(|node| &node.name));
    let checked: Vec<_> = nodes
        .iter()
        .enumerate()
        .map(|(index, node)| node.check(checks, index))
        .collect();
    some.and_then(|()| checked.into_iter().collect())
}

impl Node {
    fn check(&self, checks: &Checks, index: usize) -> Option<NodeConfig> {
        let field = |name: &str| format!("nodes[{index}].{name}");
        let name = checks.some(
            &field("name"),
            NodeName::parse(&self.name),
            "needs 1 to 63 of a-z 0-9 -",
        );
        let upstream = self.upstream.parse().ok().filter(is_host_and_port);
        let upstream = checks.some(&field("upstream"), upstream, "needs host:port");
        let weight = (1..=MAX_WEIGHT)
            .contains(&self.weight)
            .then_some(self.weight);
        let weight = checks.some(&field("weight"), weight, "needs 1 to 1000");
        Some(NodeConfig {
            name: name?,
            upstream: upstream?,
            weight: weight?,
        })
    }
}

fn is_host_and_port(authority: &Authority) -> bool {
    let plain = !authority.as_str().contains('@') && !authority.host().is_empty();
    plain && authority.port_u16().is_some_and(|port| port != 0)
}

impl Appraisal {
    fn check(&self, checks: &Checks) -> Option<AppraisalConfig> {
        let interval_ms = self.interval_seconds.saturating_mul(1000);
        let interval = duration(checks, "appraisal.interval_seconds", interval_ms);
        let timeout = duration(checks, "appraisal.timeout_ms", self.timeout_ms);
        let retry_min = duration(checks, "appraisal.retry_min_ms", self.retry_min_ms);
        let retry_max = duration(checks, "appraisal.retry_max_ms", self.retry_max_ms);
        if self.retry_max_ms < self.retry_min_ms {
            checks.note(
                "appraisal.retry_max_ms",
                "must not be less than retry_min_ms",
            );
        }
        let challenges = count(
            checks,
            "appraisal.max_challenges_per_node",
            self.max_challenges_per_node,
        );
        Some(AppraisalConfig {
            interval: interval?,
            timeout: timeout?,
            retry_min: retry_min?,
            retry_max: retry_max?,
            max_challenges_per_node: challenges?,
        })
    }
}

impl Relay {
    fn check(&self, checks: &Checks) -> Option<RelayConfig> {
        let max_in_flight = count(checks, "relay.max_in_flight", self.max_in_flight);
        let per_node = count(
            checks,
            "relay.max_in_flight_per_node",
            self.max_in_flight_per_node,
        );
        let request_bytes = bytes(checks, "relay.max_request_bytes", self.max_request_bytes);
        let response_bytes = bytes(checks, "relay.max_response_bytes", self.max_response_bytes);
        let connect = duration(checks, "relay.connect_timeout_ms", self.connect_timeout_ms);
        let request = duration(checks, "relay.request_timeout_ms", self.request_timeout_ms);
        let answer = duration(checks, "relay.answer_timeout_ms", self.answer_timeout_ms);
        let stall = duration(checks, "relay.stall_timeout_ms", self.stall_timeout_ms);
        Some(RelayConfig {
            max_in_flight: max_in_flight?,
            max_in_flight_per_node: per_node?,
            max_request_bytes: request_bytes?,
            max_response_bytes: response_bytes?,
            connect_timeout: connect?,
            request_timeout: request?,
            answer_timeout: answer?,
            stall_timeout: stall?,
        })
    }
}

impl ListenerLimits {
    fn check(&self, checks: &Checks, relay: Option<&RelayConfig>) -> Option<Limits> {
        let max_connections = count(checks, "limits.max_connections", self.max_connections);
        let max_streams = count(checks, "limits.max_streams", self.max_streams.into());
        let handshake = duration(
            checks,
            "limits.handshake_timeout_ms",
            self.handshake_timeout_ms,
        );
        let header = duration(checks, "limits.header_timeout_ms", self.header_timeout_ms);
        let idle = duration(checks, "limits.idle_timeout_ms", self.idle_timeout_ms);
        let drain = duration(checks, "limits.drain_timeout_ms", self.drain_timeout_ms);
        let (relay, max_streams) = (relay?, u32::try_from(max_streams?).ok()?);
        Some(Limits {
            max_connections: max_connections?,
            max_streams,
            handshake_timeout: handshake?,
            header_timeout: header?,
            idle_timeout: idle?,
            // The relay's own limits come first; the listener's catches what they cannot see: a client that does not take its answer.
            stall_timeout: relay.answer_timeout.max(relay.stall_timeout) + relay.request_timeout,
            drain_timeout: drain?,
        })
    }
}

impl Log {
    fn check(&self, checks: &Checks) -> Option<LogConfig> {
        let format = match self.format.as_str() {
            "text" => Some(LogFormat::Text),
            "json" => Some(LogFormat::Json),
            _ => None,
        };
        let format = checks.some("log.format", format, "needs text or json");
        let level = self
            .level
            .parse()
            .ok()
            .filter(|level| *level <= tracing::Level::DEBUG);
        let level = checks.some("log.level", level, "needs error, warn, info or debug");
        Some(LogConfig {
            format: format?,
            level: level?,
        })
    }
}

fn address(checks: &Checks, field: &str, text: &str) -> Option<SocketAddr> {
    checks.some(
        field,
        text.parse().ok(),
        "needs an IP address and a port, as 127.0.0.1:8443 or [::1]:8443",
    )
}

fn duration(checks: &Checks, field: &str, ms: u64) -> Option<Duration> {
    let within = (1..=MAX_MS)
        .contains(&ms)
        .then(|| Duration::from_millis(ms));
    checks.some(field, within, "needs more than 0 and at most a day")
}

fn count(checks: &Checks, field: &str, count: u64) -> Option<usize> {
    let within = (1..=MAX_COUNT).contains(&count).then_some(count);
    checks.some(
        field,
        within.and_then(|count| usize::try_from(count).ok()),
        "needs 1 to 1000000",
    )
}

fn bytes(checks: &Checks, field: &str, bytes: u64) -> Option<u64> {
    let within = (1..=MAX_BYTES).contains(&bytes).then_some(bytes);
    checks.some(field, within, "needs 1 to 4294967296 bytes")
}

fn unique<T: Eq + Hash>(checks: &Checks, list: &str, field: &str, values: impl Iterator<Item = T>) {
    let mut seen = HashSet::new();
    for (index, value) in values.enumerate() {
        if !seen.insert(value) {
            checks.note(&format!("{list}[{index}].{field}"), "is there twice");
        }
    }
}
