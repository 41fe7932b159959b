//! The only place that logs. Each event is a function whose arguments are of kinds that may be logged: names, stable codes, digests, numbers,
//! addresses of nodes, and what a policy said about evidence. No key, no body and no header has a way in.

use crate::{
    Refused,
    config::{LogConfig, LogFormat},
    release::{Asked, Released},
};
use policy::{InForce, Reason};
use provision::policy_keeper::Alarm;
use std::net::{IpAddr, SocketAddr};
use tracing::{Dispatch, info, level_filters::LevelFilter, warn};
use tracing_subscriber::{Layer, Registry, filter::Targets, fmt::MakeWriter, layer::SubscriberExt};

/// The target of every event of ours; events of libraries are not written, whatever they say.
const TARGET: &str = "narthex_releaser";

/// Where and how events are written.
pub fn dispatch<W>(config: LogConfig, writer: W) -> Dispatch
where
    W: for<'w> MakeWriter<'w> + Send + Sync + 'static,
{
    let ours = Targets::new().with_target(TARGET, LevelFilter::INFO);
    let lines = tracing_subscriber::fmt::layer()
        .with_ansi(false)
        .with_writer(writer);
    match config.format {
        LogFormat::Text => Dispatch::new(Registry::default().with(lines.with_filter(ours))),
        LogFormat::Json => Dispatch::new(Registry::default().with(lines.json().with_filter(ours))),
    }
}

pub(crate) fn listening(address: SocketAddr) {
    info!(target: TARGET, event = "listening", %address);
}

pub(crate) fn draining() {
    info!(target: TARGET, event = "draining");
}

pub(crate) fn stopped(connections_cut: usize) {
    info!(target: TARGET, event = "stopped", connections_cut);
}

/// A key leaves, sealed to an admitted node.
pub(crate) fn key_released(peer: IpAddr, asked: &Asked, released: &Released) {
    info!(
        target: TARGET,
        event = "key.released",
        node = released.node,
        binding = asked.binding,
        key = asked.key,
        model = asked.model,
        policy_version = released.policy_version,
        policy_digest = hex::encode(released.policy_digest),
        %peer,
    );
}

/// A key does not leave. What was asked for is as the peer says it.
pub(crate) fn key_refused(peer: IpAddr, asked: &Asked, policy_version: u64, refused: &Refused) {
    warn!(
        target: TARGET,
        event = "key.refused",
        code = refused.code(),
        binding = asked.binding,
        key = asked.key,
        model = asked.model,
        policy_version,
        %peer,
    );
    let denial = refused.denial();
    for reason in denial.iter().flat_map(|denial| &denial.reasons) {
        node_denied(&asked.binding, reason);
    }
}

/// One unmet rule.
fn node_denied(binding: &str, reason: &Reason) {
    warn!(
        target: TARGET,
        event = "node.denied",
        binding,
        code = reason.code,
        rule = reason.rule,
        line = reason.at.map(|at| at.line),
        expected = reason.expected,
        actual = reason.actual,
        remedy = reason.remedy(),
    );
}

pub(crate) fn request_refused(code: &'static str) {
    warn!(target: TARGET, event = "request.refused", code);
}

pub(crate) fn no_nonce(code: &'static str) {
    warn!(target: TARGET, event = "nonce.refused", code);
}

/// Other documents are in force from now on.
pub(crate) fn policy_changed(in_force: &InForce) {
    let policy = in_force.policy();
    info!(
        target: TARGET,
        event = "policy.changed",
        policy_version = policy.version(),
        policy_digest = hex::encode(policy.digest()),
        orders_serial = in_force.orders().serial(),
    );
}

/// Something is wrong with what is published.
pub(crate) fn policy_alarm(alarm: &Alarm) {
    let Alarm { code, message } = alarm;
    warn!(target: TARGET, event = "policy.alarm", code, message);
}

pub(crate) fn keys_read(keys: usize) {
    info!(target: TARGET, event = "keys.read", keys);
}

/// What was there stays, since its files are refused.
pub(crate) fn reload_refused(what: &'static str, error: &dyn std::fmt::Display) {
    warn!(target: TARGET, event = "reload.refused", what, %error);
}

/// The certificate was exchanged.
pub(crate) fn certificate_changed() {
    info!(target: TARGET, event = "tls.changed");
}
