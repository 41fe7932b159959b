//! Keeps what a running runtime obeys current.

use crate::{Obedience, telemetry};
use provision::{PolicyKeeper, Refreshed};
use std::{convert::Infallible, time::Duration};
use tokio::time::sleep;

/// Looks at the keeper's source again and again, `every` so often, and has the runtime obey what is new. What is refused changes nothing.
pub async fn follow(obedience: Obedience, mut keeper: PolicyKeeper, every: Duration) -> Infallible {
    loop {
        sleep(every).await;
        match keeper.refresh().await {
            // Why it is not obeyed, if so, is logged there.
            Refreshed::Changed(in_force) => drop(obedience.obey(*in_force)),
            Refreshed::Refused(error) => telemetry::policy_not_taken(error.code(), &error),
            Refreshed::Unchanged => {}
        }
    }
}
