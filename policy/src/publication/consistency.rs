//! Whether a timestamp names the documents that stand beside it. Newer ones than it names were published since; older ones are a freeze.

use super::{PublicationError, TIMESTAMP};
use crate::{
    InForce,
    timestamp::{Here, Listed, TimestampError},
};

/// Every document that is older than, or another one than, the timestamp names.
pub(super) fn judge(in_force: &InForce) -> Result<(), Vec<PublicationError>> {
    let Some(timestamp) = in_force.timestamp() else {
        return Ok(());
    };
    let found = [
        stale("the root", Some(timestamp.root), in_force.listed_root()),
        stale(
            "the policy",
            Some(timestamp.policy),
            Some(in_force.listed_policy()),
        ),
        stale(
            "the inventory",
            timestamp.inventory,
            in_force.listed_inventory(),
        ),
        timestamp
            .orders
            .and_then(|listed| stale("the orders", Some(listed), order(in_force, listed.version))),
    ];
    let of_file = |error| PublicationError::of(TIMESTAMP, error);
    let errors: Vec<_> = found.into_iter().flatten().map(of_file).collect();
    if errors.is_empty() {
        Ok(())
    } else {
        Err(errors)
    }
}

fn stale(
    document: &'static str,
    listed: Option<Listed>,
    here: Option<Listed>,
) -> Option<TimestampError> {
    let listed = listed?;
    let here = match here {
        None => Here::Nothing,
        Some(here) if here.version < listed.version => Here::Version(here.version),
        Some(here) if here.version == listed.version && here.digest != listed.digest => Here::Other,
        Some(_) => return None,
    };
    Some(TimestampError::Stale {
        document,
        listed: listed.version,
        here,
    })
}

/// The order with this serial; the last one where the log is shorter.
fn order(in_force: &InForce, serial: u64) -> Option<Listed> {
    let orders = in_force.orders();
    let version = serial.min(orders.serial());
    let digest = *orders.digest_of(version)?;
    Some(Listed { version, digest })
}
