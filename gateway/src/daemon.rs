//! A gateway as a process: logs, binds, says that it is ready, looks for newer documents, and drains on SIGTERM or SIGINT.

use crate::{CertificateReload, Config, ConfigError, Gateway, Listeners, PolicyFeed, telemetry};
use attestation::Verifier;
use policy::Appraiser;
use std::{convert::Infallible, io, net::SocketAddr, time::Duration};
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
    verifier: Verifier,
    feed: PolicyFeed,
    ready: impl FnOnce(SocketAddr, SocketAddr),
) -> Result<(), DaemonError> {
    let (terminate, interrupt) = (
        signal(SignalKind::terminate())?,
        signal(SignalKind::interrupt())?,
    );
    let hang_up = signal(SignalKind::hangup())?;
    let listeners = Listeners::bind(config).await?;
    let (public, admin) = listeners.addresses()?;
    telemetry::listening(public, admin);
    ready(public, admin);
    let certificate = listeners.certificate_reload(&config.tls);
    let gateway = Gateway::new(
        config,
        Appraiser::new(verifier, feed.in_force()),
        feed.clock(),
    );
    let reloading = Reloading {
        gateway: gateway.clone(),
        feed,
        certificate,
    };
    tokio::select! {
        _ = gateway.run(listeners, either(terminate, interrupt)) => Ok(()),
        never = reloading.go_on(config.policy.refresh, hang_up) => match never {},
    }
}

/// What may change while a gateway runs.
struct Reloading {
    gateway: Gateway,
    feed: PolicyFeed,
    certificate: CertificateReload,
}

impl Reloading {
    /// Looks for newer documents every `refresh`, and at once when told to, then for another certificate too.
    async fn go_on(mut self, refresh: Duration, mut hang_up: Signal) -> Infallible {
        self.feed.begin(&self.gateway);
        loop {
            tokio::select! {
                () = tokio::time::sleep(refresh) => {}
                Some(()) = hang_up.recv() => self.reload_certificate(),
            }
            self.feed.refresh(&self.gateway).await;
        }
    }

    fn reload_certificate(&self) {
        match self.certificate.reload() {
            Ok(()) => telemetry::certificate_changed(),
            Err(error) => telemetry::certificate_refused(&error),
        }
    }
}

async fn either(mut terminate: Signal, mut interrupt: Signal) {
    tokio::select! {
        _ = terminate.recv() => {}
        _ = interrupt.recv() => {}
    }
}
