//! A gateway as a process: logs, binds, says that it is ready, and drains on SIGTERM or SIGINT.

use crate::{Clock, Config, ConfigError, Gateway, Listeners, telemetry};
use policy::Appraiser;
use std::{io, net::SocketAddr, sync::Arc};
use tokio::signal::unix::{Signal, SignalKind, signal};

/// Why the process cannot serve.
#[derive(Debug, thiserror::Error)]
pub enum DaemonError {
    /// Certificate or address.
    #[error(transparent)]
    Config(#[from] ConfigError),
    /// Signals or socket addresses.
    #[error("the system refuses: {0}")]
    System(#[from] io::Error),
}

/// Runs until a signal. `ready` is told the public and the admin address once both are bound.
pub async fn run(
    config: &Config,
    appraiser: Appraiser,
    clock: Arc<dyn Clock>,
    ready: impl FnOnce(SocketAddr, SocketAddr),
) -> Result<(), DaemonError> {
    let (terminate, interrupt) = (
        signal(SignalKind::terminate())?,
        signal(SignalKind::interrupt())?,
    );
    let listeners = Listeners::bind(config).await?;
    let (public, admin) = listeners.addresses()?;
    telemetry::listening(public, admin);
    ready(public, admin);
    let gateway = Gateway::new(config, appraiser, clock);
    gateway.run(listeners, either(terminate, interrupt)).await;
    Ok(())
}

async fn either(mut terminate: Signal, mut interrupt: Signal) {
    tokio::select! {
        _ = terminate.recv() => {}
        _ = interrupt.recv() => {}
    }
}
