//! The newest of each document that a host has obeyed. Pure: `provision` keeps it on disk.

mod error;

pub use error::SuccessionError;

use crate::{InForce, Listed, Orders, PolicyError};
use attestation::{Digest, UnixTime};

/// What a host remembers under one root's anchor.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Remembered {
    /// Version and digest of the root.
    pub root: Option<(u64, Digest)>,
    /// Version and digest of the policy.
    pub policy: Option<(u64, Digest)>,
    /// Version and digest of the inventory.
    pub inventory: Option<(u64, Digest)>,
    /// Serial and digest of the last order.
    pub orders: Option<(u64, Digest)>,
    /// Version and digest of the timestamp.
    pub timestamp: Option<(u64, Digest)>,
    /// The latest time at which something new was obeyed: a clock before it has been set back.
    pub obeyed_at: Option<UnixTime>,
}

impl Remembered {
    /// What is remembered once `offered` is obeyed at `now`; an error if any of its documents is older than, or another one of the same
    /// version as, the one remembered, or is missing where one was remembered. All errors at once.
    pub fn after(&self, offered: &InForce, now: UnixTime) -> Result<Self, Vec<PolicyError>> {
        let next = Self::of(offered, self.now(now));
        let errors: Vec<_> = [
            newer("the root", self.root, next.root),
            newer("the policy", self.policy, next.policy),
            self.other_predecessor(offered),
            newer("the inventory", self.inventory, next.inventory),
            continued(self.orders, offered.orders()),
            newer("the timestamp", self.timestamp, next.timestamp),
        ]
        .into_iter()
        .flatten()
        .collect();
        if errors.is_empty() {
            return Ok(next);
        }
        Err(errors.into_iter().map(PolicyError::from).collect())
    }

    /// The time, as far as it is known here: `clock`, but never before the time at which something was obeyed.
    #[must_use]
    pub fn now(&self, clock: UnixTime) -> UnixTime {
        self.obeyed_at.map_or(clock, |obeyed| clock.max(obeyed))
    }

    fn of(in_force: &InForce, now: UnixTime) -> Self {
        let pair = |listed: Listed| (listed.version, listed.digest);
        let timestamp = in_force.timestamp();
        Self {
            root: in_force.listed_root().map(pair),
            policy: Some(pair(in_force.listed_policy())),
            inventory: in_force.listed_inventory().map(pair),
            orders: in_force.listed_orders().map(pair),
            timestamp: timestamp.map(|timestamp| (timestamp.version, timestamp.digest)),
            obeyed_at: Some(timestamp.map_or(now, |timestamp| now.max(timestamp.issued))),
        }
    }

    /// A policy that names its predecessor must name the one obeyed, if that is the version before it.
    fn other_predecessor(&self, offered: &InForce) -> Option<SuccessionError> {
        let (version, obeyed) = self.policy?;
        let policy = offered.policy();
        let previous = policy.previous()?;
        let is_next = version.checked_add(1) == Some(policy.version());
        (is_next && *previous != obeyed).then(|| SuccessionError::Previous {
            version: policy.version(),
        })
    }
}

/// Why what is offered is no successor of what was obeyed.
fn newer(
    document: &'static str,
    obeyed: Option<(u64, Digest)>,
    offered: Option<(u64, Digest)>,
) -> Option<SuccessionError> {
    let (obeyed, digest) = obeyed?;
    let Some((offered, offered_digest)) = offered else {
        return Some(SuccessionError::Missing { document, obeyed });
    };
    if offered < obeyed {
        return Some(SuccessionError::Rollback {
            document,
            obeyed,
            offered,
        });
    }
    (offered == obeyed && offered_digest != digest).then_some(SuccessionError::Equivocation {
        document,
        version: obeyed,
    })
}

/// Why `offered` does not continue the log that ended with the order obeyed.
fn continued(obeyed: Option<(u64, Digest)>, offered: &Orders) -> Option<SuccessionError> {
    let (obeyed, digest) = obeyed?;
    match offered.digest_of(obeyed) {
        None => Some(SuccessionError::Shortened {
            obeyed,
            offered: offered.serial(),
        }),
        Some(found) if *found != digest => Some(SuccessionError::Forked { serial: obeyed }),
        Some(_) => None,
    }
}
