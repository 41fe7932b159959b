//! A releaser as a process: binds, says that it is ready, looks for newer documents, and drains on SIGTERM or SIGINT.

use crate::{Config, ConfigError, Releaser, follow, telemetry};
use attestation::Verifier;
use listener::tls::{ShownCertificate, server_config};
use policy::{Appraiser, InForce};
use provision::{Clock, PolicyKeeper};
use std::{convert::Infallible, io, net::SocketAddr, sync::Arc};
use tokio::{
    net::TcpListener,
    signal::unix::{Signal, SignalKind, signal},
};

/// Why the process cannot serve.
#[derive(Debug, thiserror::Error)]
pub enum DaemonError {
    /// Certificate, keys or address.
    #[error(transparent)]
    Config(#[from] ConfigError),
    /// Signals or the socket's address.
    #[error("the system refuses: {0}")]
    System(#[from] io::Error),
}

/// Runs until a signal. `ready` is told the address once it is bound.
pub async fn run(
    config: &Config,
    verifier: Verifier,
    (keeper, in_force): (PolicyKeeper, InForce),
    ready: impl FnOnce(SocketAddr),
) -> Result<(), DaemonError> {
    let (terminate, interrupt) = (
        signal(SignalKind::terminate())?,
        signal(SignalKind::interrupt())?,
    );
    let hang_up = signal(SignalKind::hangup())?;
    let certificate = Arc::new(ShownCertificate::new(config.tls.read()?));
    let tls = server_config(Arc::clone(&certificate)).map_err(ConfigError::Tls)?;
    let socket = bind(config.listen).await?;
    let address = socket.local_addr()?;
    let clock = Arc::clone(keeper.clock()) as Arc<dyn Clock>;
    let appraiser = Appraiser::new(verifier, in_force);
    let releaser = Releaser::new(config.key_folder()?, appraiser, clock, config.limits);
    telemetry::listening(address);
    ready(address);
    let following = follow(releaser.clone(), keeper, config.policy.refresh, unchanged);
    let reloading = Reloading {
        config,
        releaser: releaser.clone(),
        certificate,
    };
    tokio::select! {
        _ = releaser.serve(socket, Some(Arc::new(tls)), either(terminate, interrupt)) => Ok(()),
        never = following => match never {},
        never = reloading.go_on(hang_up) => match never {},
    }
}

async fn bind(address: SocketAddr) -> Result<TcpListener, ConfigError> {
    let bound = TcpListener::bind(address).await;
    bound.map_err(|source| ConfigError::Unbindable { address, source })
}

const fn unchanged(in_force: InForce) -> InForce {
    in_force
}

/// What may change while a releaser runs.
struct Reloading<'a> {
    config: &'a Config,
    releaser: Releaser,
    certificate: Arc<ShownCertificate>,
}

impl Reloading<'_> {
    /// Reads certificate and keys again when told to.
    async fn go_on(self, mut hang_up: Signal) -> Infallible {
        loop {
            hang_up.recv().await;
            self.reload_certificate();
            self.reload_keys();
        }
    }

    fn reload_certificate(&self) {
        match self.config.tls.read() {
            Ok(certificate) => {
                self.certificate.exchange(certificate);
                telemetry::certificate_changed();
            }
            Err(error) => telemetry::reload_refused("certificate", &error),
        }
    }

    fn reload_keys(&self) {
        match self.config.key_folder() {
            Ok(keys) => self.releaser.hold(keys),
            Err(error) => telemetry::reload_refused("keys", &error),
        }
    }
}

async fn either(mut terminate: Signal, mut interrupt: Signal) {
    tokio::select! {
        _ = terminate.recv() => {}
        _ = interrupt.recv() => {}
    }
}
