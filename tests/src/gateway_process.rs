//! A gateway's process: the shipped gateway library, told to trust the simulated vendors.

use crate::{
    child::{announce, parent_has_ended},
    fleet, publication,
};
use attestation::Verifier;
use gateway::{Config, Gateway, Listeners, PolicyFeed, SystemClock, telemetry};
use policy::{Appraiser, InForce};
use std::{convert::Infallible, error::Error, io, path::Path, sync::Arc, time::Duration};

/// How often the first appraisal is tried before the gateway says that it is ready.
const FIRST_APPRAISAL_TRIES: u32 = 5;
const PAUSE: Duration = Duration::from_millis(100);

/// Runs the gateway of the files in `directory` until the parent process ends; announces its public and its admin address.
pub fn run(directory: &Path) -> Result<(), Box<dyn Error>> {
    let config = Config::load(&directory.join("gateway.toml"))?;
    tracing::dispatcher::set_global_default(telemetry::dispatch(config.log, io::stderr))?;
    let verifier = fleet::verifier(directory)?;
    tokio::runtime::Runtime::new()?.block_on(serve(&config, verifier))
}

async fn serve(config: &Config, verifier: Verifier) -> Result<(), Box<dyn Error>> {
    let settings = config.policy.settings();
    let feed = PolicyFeed::open(settings, Arc::new(SystemClock)).await?;
    let feed = feed.changed_by(trusting_the_simulated_vendors);
    let listeners = Listeners::bind(config).await?;
    let (public, admin) = listeners.addresses()?;
    let appraiser = Appraiser::new(verifier, feed.in_force());
    let gateway = Gateway::new(config, appraiser, feed.clock());
    feed.begin(&gateway);
    admit_all(&gateway).await?;
    announce(&format!("{public} {admin}"))?;
    let ended = parent_has_ended();
    tokio::select! {
        _ = gateway.clone().run(listeners, async { drop(ended.await) }) => Ok(()),
        never = keep_current(feed, gateway) => match never {},
    }
}

#[expect(
    clippy::disallowed_methods,
    reason = "this composition trusts the simulated vendors"
)]
fn trusting_the_simulated_vendors(in_force: InForce) -> InForce {
    in_force.map_policy(policy::danger::accept_custom_anchors)
}

async fn keep_current(mut feed: PolicyFeed, gateway: Gateway) -> Infallible {
    loop {
        tokio::time::sleep(publication::REFRESH).await;
        feed.refresh(&gateway).await;
    }
}

async fn admit_all(gateway: &Gateway) -> Result<(), Box<dyn Error>> {
    let mut last = None;
    for _ in 0..FIRST_APPRAISAL_TRIES {
        let outcomes = gateway.appraise_all().await;
        match outcomes.into_iter().find_map(|(_, outcome)| outcome.err()) {
            None => return Ok(()),
            Some(error) => last = Some(error),
        }
        tokio::time::sleep(PAUSE).await;
    }
    Err(last.map_or_else(
        || "there is no node".into(),
        |error| error.to_string().into(),
    ))
}
