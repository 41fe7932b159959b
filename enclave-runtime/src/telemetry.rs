//! The only place that logs. Every event is a function here and every field has a type that cannot hold a prompt: codes, counts,
//! addresses, names of the operator's own.

use crate::{config::LogFormat, evidence::GpuVersions, secret_memory::PageKind};
use attestation::Digest;
use std::{fmt, net::SocketAddr};
use tracing::{error, info, warn};

/// Starts logging to standard error. The level is fixed: no environment decides what leaves the TEE.
pub fn init(format: LogFormat) {
    let subscriber = tracing_subscriber::fmt()
        .with_writer(std::io::stderr)
        .with_target(false)
        .with_max_level(tracing::Level::INFO);
    // A second call, from a composition of several runtimes, changes nothing.
    let _ = match format {
        LogFormat::Text => subscriber.with_ansi(false).try_init(),
        LogFormat::Json => subscriber.json().try_init(),
    };
}

/// The model begins to load.
pub fn loading_model(path: &std::path::Path) {
    info!(path = %path.display(), "loading the model");
}

/// Says that a device gave every answer that it had to.
pub fn tested_device(architecture: &'static str, driver_version: u32, tests: usize) {
    tracing::info!(architecture, driver_version, tests, "device tested");
}

/// The model is loaded.
pub fn loaded_model(name: &str, digest: &Digest, isa: &'static str) {
    info!(
        model = name,
        sha256 = hex::encode(digest),
        isa,
        "model loaded"
    );
}

/// The key of a sealed model is asked for.
pub fn awaiting_model_key(server: &str, key: &Digest) {
    info!(server, key = hex::encode(key), "asking for the model's key");
}

/// The key of a sealed model is there; the model is opened with it.
pub fn model_key_received() {
    info!("the model's key is here");
}

/// Who opens the model: the device that computes, or the processor, which then holds all of it for a while.
pub(crate) fn model_opened_by(opener: &'static str) {
    info!(opener, "opening the model");
}

/// The key of a sealed model was not released; it is asked for again.
pub(crate) fn model_key_refused(code: &'static str, reason: &dyn fmt::Display) {
    warn!(code, %reason, "no model key yet");
}

/// The GPUs are genuine and confidential by the runtime's own check. Identifiers of hardware are not logged.
pub(crate) fn gpus_confidential(versions: &GpuVersions, multi_gpu: &'static str) {
    let (driver, cuda) = (versions.driver.as_str(), versions.cuda.as_str());
    let gpus = versions.vbios.len();
    info!(
        gpus,
        driver, cuda, multi_gpu, "gpus in confidential-compute mode"
    );
    for (gpu, vbios) in versions.vbios.iter().enumerate() {
        info!(gpu, vbios, "gpu firmware");
    }
}

/// The driver lets programs use the GPUs from now on.
pub(crate) fn gpus_made_ready() {
    info!("gpus made ready by this runtime");
}

/// The inference server beside this process is awaited.
pub fn awaiting_upstream(address: &dyn fmt::Display) {
    info!(%address, "waiting for the upstream engine");
}

/// The inference server beside this process did something wrong.
pub fn upstream_failed(code: &'static str) {
    warn!(code, "the upstream engine failed");
}

/// The runtime has evidence and serves.
pub fn serving(address: SocketAddr, node: &str, policy_version: u64) {
    info!(%address, node, policy_version, "serving sealed requests");
}

/// The runtime was told to stop.
pub fn draining() {
    info!("stopping: no new connections, answers under way are finished");
}

/// The runtime has stopped.
pub fn stopped(cut: usize) {
    info!(cut_connections = cut, "stopped");
}

/// The runtime cannot start.
pub fn cannot_start(code: &str, reason: &dyn fmt::Display) {
    error!(code, %reason, "cannot start");
}

/// Whether memory is kept from swap.
pub fn memory_locked(outcome: rustix::io::Result<()>) {
    match outcome {
        Ok(()) => info!("memory is locked"),
        Err(errno) => warn!(%errno, "memory is not locked: turn swap off or raise RLIMIT_MEMLOCK"),
    }
}

/// A panic, by its place alone.
pub fn panicked(file: &str, line: u32) {
    error!(file, line, "panic");
}

pub(crate) fn challenge_answered() {
    info!("challenge answered");
}

pub(crate) fn no_collateral(code: &'static str) {
    warn!(
        code,
        "the collateral file cannot be read: evidence goes out without it"
    );
}

pub(crate) fn challenge_failed(code: &'static str) {
    warn!(code, "challenge not answered");
}

pub(crate) fn refused(code: &'static str) {
    warn!(code, "request refused");
}

pub(crate) fn sealed_header_refused(header: &'static str) {
    warn!(
        code = "runtime.sealed_header",
        header, "sealed request refused"
    );
}

/// A request came after the end of the policy's life.
pub(crate) fn policy_expired() {
    warn!(
        code = "runtime.policy_expired",
        "sealed request refused: the policy has expired; publish a newer one"
    );
}

/// Later documents are obeyed from now on.
pub(crate) fn policy_taken(version: u64) {
    info!(policy_version = version, "policy taken");
}

/// Documents that were offered are not obeyed; what was in force stays so.
pub(crate) fn policy_not_taken(code: &str, reason: &dyn fmt::Display) {
    error!(
        code,
        %reason,
        "policy refused: what was in force stays in force"
    );
}

/// The inventory does not confirm where the configuration says that this machine is.
pub(crate) fn country_unknown() {
    warn!(
        "the inventory in force gives this machine no country, or another than `residency`: none is stated"
    );
}

/// Nothing is served from now on. The code is `stopped`, `lease_ended` or `engine_failed`.
pub(crate) fn halted(code: &'static str) {
    error!(
        code,
        "halted: all channel keys are wiped, nothing is served"
    );
}

/// The engine answers nothing any more; the code is its own.
pub(crate) fn engine_failed(code: &'static str) {
    error!(code, "the engine failed for good: restart this runtime");
}

/// A halt has ended.
pub(crate) fn resumed() {
    info!("resumed: a new key epoch begins");
}

/// An answer under way was cut.
pub(crate) fn cut() {
    warn!("answer cut: its client does not read");
}

/// Lists carry this epoch from now on.
pub(crate) fn epoch_begun(number: u64) {
    info!(epoch = number, "key epoch begun");
}

/// No envelope of this epoch opens any more. The reason is `over`, `replay_set_full` or `halted`.
pub(crate) fn epoch_wiped(number: u64, reason: &'static str) {
    info!(
        epoch = number,
        reason, "key epoch ended: its keys are wiped"
    );
}

/// Where secrets rest.
pub(crate) fn secret_memory(kind: PageKind) {
    let kind = kind.name();
    if kind == PageKind::Secret.name() {
        info!(kind, "memory.secret");
    } else {
        warn!(
            kind,
            "memory.secret: this kernel gives no memory of its own for secrets (memfd_secret)"
        );
    }
}

pub(crate) fn answered(status: u16) {
    info!(status, "sealed request answered");
}

pub(crate) fn cancelled() {
    info!("sealed request cancelled by its client");
}
