//! A gateway's process: the shipped gateway library, told to trust the simulated vendors.

use crate::{
    child::{announce, parent_has_ended},
    fleet,
};
use gateway::{Config, Gateway, Listeners, SystemClock, policy_in_force, telemetry};
use policy::Appraiser;
use std::{error::Error, io, path::Path, sync::Arc, time::Duration};

/// How often the first appraisal is tried before the gateway says that it is ready.
const FIRST_APPRAISAL_TRIES: u32 = 5;
const PAUSE: Duration = Duration::from_millis(100);

/// Runs the gateway of the files in `directory` until the parent process ends; announces its public and its admin address.
pub fn run(directory: &Path) -> Result<(), Box<dyn Error>> {
    let config = Config::load(&directory.join("gateway.toml"))?;
    tracing::dispatcher::set_global_default(telemetry::dispatch(config.log, io::stderr))?;
    #[expect(
        clippy::disallowed_methods,
        reason = "this composition trusts the simulated vendors"
    )]
    let policy = policy::danger::accept_custom_anchors(policy_in_force(&config.policy)?);
    let appraiser = Appraiser::new(fleet::verifier(directory)?, policy);
    tokio::runtime::Runtime::new()?.block_on(serve(&config, appraiser))
}

async fn serve(config: &Config, appraiser: Appraiser) -> Result<(), Box<dyn Error>> {
    let listeners = Listeners::bind(config).await?;
    let (public, admin) = listeners.addresses()?;
    let gateway = Gateway::new(config, appraiser, Arc::new(SystemClock));
    admit_all(&gateway).await?;
    announce(&format!("{public} {admin}"))?;
    let ended = parent_has_ended();
    gateway.run(listeners, async { drop(ended.await) }).await;
    Ok(())
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
