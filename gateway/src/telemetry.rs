//! The only place that logs. Each event is a function whose arguments are of kinds that may be logged: names of nodes, stable codes,
//! digests and numbers of our own, what a policy said about evidence. No header, body, key, or address of a client has a way in.

use crate::{
    AppraisalError, NodeName,
    config::{LogConfig, LogFormat},
};
use policy::{Admitted, Refusal};
use std::net::SocketAddr;
use tracing::{Dispatch, info, level_filters::LevelFilter, warn};
use tracing_subscriber::{Layer, Registry, filter::Targets, fmt::MakeWriter, layer::SubscriberExt};

/// The target of every event of ours; events of libraries are not written, whatever they say.
const TARGET: &str = "narthex_gateway";

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
        warn!(
            target: TARGET,
            event = "node.denied",
            %node,
            code = reason.code,
            rule = reason.rule,
            expected = reason.expected,
            actual = reason.actual,
        );
    }
}

pub(crate) fn relay_failed(node: &NodeName, code: &'static str) {
    warn!(target: TARGET, event = "relay.failed", %node, code);
}
