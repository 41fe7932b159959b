//! The only place that logs. Each event is a function whose arguments are of kinds that may be logged: names of nodes, stable codes,
//! digests and numbers of our own, what a policy said about evidence or a signed document about itself, and of a client's verdict its code. No
//! other body, no header, key, or address of a client has a way in.

use crate::{
    AppraisalError, ConfigError, NodeName,
    api_key::KeyNumber,
    config::{LogConfig, LogFormat},
    standing::LEASE,
    verdict_report::{Code, OwnVerdict, Report},
};
use policy::{Admitted, InForce, Reason, Refusal};
use provision::policy_keeper::Alarm;
use std::net::SocketAddr;
use tracing::{Dispatch, info, level_filters::LevelFilter, warn};
use tracing_subscriber::{Layer, Registry, filter::Targets, fmt::MakeWriter, layer::SubscriberExt};

/// The target of every event of ours; events of libraries are not written, whatever they say.
const TARGET: &str = "narthex_gateway";
/// What stands in the place of a code where there is no refusal.
const ADMITTED: &str = "admitted";

/// Where and how events are written.
pub fn dispatch<W>(config: LogConfig, writer: W) -> Dispatch
where
    W: for<'w> MakeWriter<'w> + Send + Sync + 'static,
{
    let ours = Targets::new().with_target(TARGET, LevelFilter::from_level(config.level));
    let lines = tracing_subscriber::fmt::layer()
        .with_ansi(false)
        .with_writer(writer);
    match config.format {
        LogFormat::Text => Dispatch::new(Registry::default().with(lines.with_filter(ours))),
        LogFormat::Json => Dispatch::new(Registry::default().with(lines.json().with_filter(ours))),
    }
}

pub(crate) fn listening(public: SocketAddr, admin: SocketAddr) {
    info!(target: TARGET, event = "listening", %public, %admin);
}

pub(crate) fn draining() {
    info!(target: TARGET, event = "draining");
}

pub(crate) fn stopped(connections_cut: usize) {
    info!(target: TARGET, event = "stopped", connections_cut);
}

pub(crate) fn node_admitted(node: &NodeName, admitted: &Admitted) {
    let claims = admitted.claims();
    info!(
        target: TARGET,
        event = "node.admitted",
        %node,
        binding = hex::encode(claims.binding_id.0),
        manifest = hex::encode(claims.manifest_digest),
        policy_version = admitted.policy_version(),
        not_after = admitted.not_after().0,
    );
}

/// The code of the step that failed; for a denial, every unmet rule.
pub(crate) fn node_refused(node: &NodeName, error: &AppraisalError) {
    warn!(target: TARGET, event = "node.refused", %node, code = error.code());
    let AppraisalError::Refused(Refusal::Policy(denial)) = error else {
        return;
    };
    for reason in &denial.reasons {
        node_denied(node, reason);
    }
}

/// One unmet rule: where it stands in the policy, why it is there, and what would satisfy it. What is unknown has no field.
fn node_denied(node: &NodeName, reason: &Reason) {
    let advisory = reason.advisory.as_ref();
    warn!(
        target: TARGET,
        event = "node.denied",
        %node,
        code = reason.code,
        rule = reason.rule,
        line = reason.at.map(|at| at.line),
        expected = reason.expected,
        actual = reason.actual,
        advisory = advisory.map(|advisory| advisory.name.as_str()),
        advisory_link = advisory.and_then(|advisory| advisory.link.as_deref()),
        remedy = reason.remedy(),
    );
}

pub(crate) fn relay_failed(node: &NodeName, code: &'static str) {
    warn!(target: TARGET, event = "relay.failed", %node, code);
}

/// Other documents are in force from now on.
pub(crate) fn policy_changed(in_force: &InForce) {
    let policy = in_force.policy();
    info!(
        target: TARGET,
        event = "policy.changed",
        policy_version = policy.version(),
        policy_digest = hex::encode(policy.digest()),
        inventory_version = in_force.inventory().map(policy::Inventory::version),
        orders_serial = in_force.orders().serial(),
        timestamp_version = in_force.timestamp().map(|timestamp| timestamp.version),
    );
}

/// Something is wrong with what is published; what it says is about the operator's own files and about signed documents.
pub(crate) fn policy_alarm(alarm: &Alarm) {
    let Alarm { code, message } = alarm;
    warn!(target: TARGET, event = "policy.alarm", code, message);
}

/// Nobody has said for too long that the documents in force are the newest.
pub(crate) fn lease_over() {
    warn!(target: TARGET, event = "policy.alarm", code = LEASE);
}

/// A client, by the number of its key, says something else of a node. It may lie.
pub(crate) fn verdicts_differ(
    node: &NodeName,
    client: KeyNumber,
    report: &Report,
    own: &OwnVerdict,
) {
    warn!(
        target: TARGET,
        event = "verdict.differs",
        %node,
        client = client.0,
        client_code = report.code.as_ref().map_or(ADMITTED, Code::as_str),
        client_policy_digest = hex::encode(report.policy_digest),
        code = own.code.unwrap_or(ADMITTED),
        policy_version = own.policy_version,
        policy_digest = own.policy_digest,
    );
}

/// The certificate of the public listener was exchanged.
pub(crate) fn certificate_changed() {
    info!(target: TARGET, event = "tls.changed");
}

/// The certificate of the public listener stays, since its files are refused.
pub(crate) fn certificate_refused(error: &ConfigError) {
    warn!(target: TARGET, event = "tls.refused", %error);
}
