//! A releaser's process: the shipped releaser library, told to trust the simulated vendors.

use crate::{child::announce, child::parent_has_ended, fleet, publication};
use attestation::Verifier;
use listener::tls::{ShownCertificate, server_config};
use policy::{Appraiser, InForce};
use provision::{Clock, PolicyKeeper, SystemClock};
use releaser::{Config, Releaser, follow, telemetry};
use std::{error::Error, io, path::Path, sync::Arc, time::Duration};
use tokio::net::TcpListener;

/// Between two looks for the simulated vendors' roots.
const PAUSE: Duration = Duration::from_millis(50);

/// Runs the releaser of the files in `directory` until the parent process ends; announces its address.
pub fn run(directory: &Path) -> Result<(), Box<dyn Error>> {
    let config = Config::load(&directory.join("releaser.toml"))?;
    tracing::dispatcher::set_global_default(telemetry::dispatch(config.log, io::stderr))?;
    tokio::runtime::Runtime::new()?.block_on(async {
        let ended = parent_has_ended();
        tokio::select! {
            served = serve(&config, directory) => served,
            _ = ended => Ok(()),
        }
    })
}

/// Whoever connects before there are roots waits to be accepted.
async fn serve(config: &Config, directory: &Path) -> Result<(), Box<dyn Error>> {
    let clock = Arc::new(SystemClock);
    let (keeper, in_force) = PolicyKeeper::open(config.policy.settings(), clock.clone()).await?;
    let tls = server_config(Arc::new(ShownCertificate::new(config.tls.read()?)))?;
    let socket = TcpListener::bind(config.listen).await?;
    announce(&socket.local_addr()?.to_string())?;
    let appraiser = Appraiser::new(verifier(directory).await, trusting(in_force));
    let clock = clock as Arc<dyn Clock>;
    let releaser = Releaser::new(config.key_folder()?, appraiser, clock, config.limits);
    let following = follow(releaser.clone(), keeper, publication::REFRESH, trusting);
    tokio::select! {
        _ = releaser.serve(socket, Some(Arc::new(tls)), std::future::pending()) => Ok(()),
        never = following => match never {},
    }
}

/// The runtimes invent the vendors, and the runtimes begin after the releaser.
async fn verifier(directory: &Path) -> Verifier {
    loop {
        if let Ok(verifier) = fleet::verifier(directory) {
            return verifier;
        }
        tokio::time::sleep(PAUSE).await;
    }
}

#[expect(
    clippy::disallowed_methods,
    reason = "this composition trusts the simulated vendors"
)]
fn trusting(in_force: InForce) -> InForce {
    in_force.map_policy(policy::danger::accept_custom_anchors)
}
