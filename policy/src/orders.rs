//! Stop and start orders: a log that only grows, replayed from its first order (docs/policy.md, "Orders").

use crate::{Envelope, HardwareId, PolicyError, Root};
use attestation::{Digest, UnixTime};
use std::collections::BTreeMap;

/// What an order is about.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Target {
    /// Whatever obeys this root.
    Everything,
    /// The node of this name.
    Node(String),
    /// The nodes that this piece of hardware is part of.
    Hardware(HardwareId),
    /// The nodes that serve the model with this digest.
    Model(Digest),
    /// The nodes with this launch measurement (MEASUREMENT or MRTD).
    Measurement([u8; 48]),
    /// The requests of the tenant with this key.
    Tenant([u8; 32]),
    /// The nodes whose hardware the inventory places there.
    Site(String),
}

/// Why a target is stopped.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Stopped {
    /// The order that stopped it.
    pub serial: u64,
    /// When it was issued.
    pub issued: UnixTime,
    /// Its `reason`.
    pub reason: String,
}

/// What all orders of a log together say.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Orders {
    serial: u64,
    digest: Digest,
    latest: Option<UnixTime>,
    stopped: BTreeMap<Target, Stopped>,
}

impl Orders {
    /// Nothing was ever ordered.
    #[must_use]
    pub fn none() -> Self {
        Self::default()
    }

    /// Replays a log: serials 1, 2, 3 .., each naming the digest of the one before, stops signed by the role `stop`, starts by `start`.
    pub fn replay(_log: &[Envelope], _root: &Root) -> Result<Self, Vec<PolicyError>> {
        Err(Vec::new())
    }

    /// The serial of the last order; 0 without any.
    #[must_use]
    pub const fn serial(&self) -> u64 {
        self.serial
    }

    /// SHA-256 of the last order's document; zero without any.
    #[must_use]
    pub const fn digest(&self) -> &Digest {
        &self.digest
    }

    /// `issued` of the last order; `None` without any.
    #[must_use]
    pub const fn latest(&self) -> Option<UnixTime> {
        self.latest
    }

    /// Why `target` itself is stopped; [`Target::Everything`] is a target of its own.
    #[must_use]
    pub fn stopped(&self, target: &Target) -> Option<&Stopped> {
        self.stopped.get(target)
    }

    /// Everything that is stopped.
    pub fn iter(&self) -> impl Iterator<Item = (&Target, &Stopped)> {
        self.stopped.iter()
    }
}
