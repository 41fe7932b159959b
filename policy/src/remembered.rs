//! The newest of each document that a host has obeyed. Pure: `provision` keeps it on disk.

use crate::{InForce, PolicyError};
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
    /// version as, the one remembered, or is missing where one was remembered.
    pub fn after(&self, _offered: &InForce, _now: UnixTime) -> Result<Self, Vec<PolicyError>> {
        Err(Vec::new())
    }
}
