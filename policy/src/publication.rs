//! What a security team publishes: the files of one folder, or of one place on a static server.

use crate::{Envelope, InForce, PolicyError, Root};
use attestation::UnixTime;

/// The later roots, one envelope on a line, versions rising by one; may be absent.
pub const ROOTS: &str = "roots.jsonl";
/// The policy's envelope.
pub const POLICY: &str = "policy.json";
/// The inventory's envelope; may be absent.
pub const INVENTORY: &str = "inventory.json";
/// Every order so far, one envelope on a line; may be absent.
pub const ORDERS: &str = "orders.jsonl";
/// The timestamp's envelope; may be absent.
pub const TIMESTAMP: &str = "timestamp.json";

/// The files as they came, unverified; `None`: there is none.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Files {
    /// [`ROOTS`].
    pub roots: Option<Vec<u8>>,
    /// [`POLICY`].
    pub policy: Option<Vec<u8>>,
    /// [`INVENTORY`].
    pub inventory: Option<Vec<u8>>,
    /// [`ORDERS`].
    pub orders: Option<Vec<u8>>,
    /// [`TIMESTAMP`].
    pub timestamp: Option<Vec<u8>>,
}

/// The files, parsed; nothing is verified yet.
#[derive(Clone, Debug)]
pub struct Publication {
    roots: Vec<Envelope>,
    policy: Envelope,
    inventory: Option<Envelope>,
    orders: Vec<Envelope>,
    timestamp: Option<Envelope>,
}

impl Publication {
    /// Parses the files, each within its cap; the policy is required.
    pub fn parse(_files: &Files) -> Result<Self, Vec<PolicyError>> {
        Err(Vec::new())
    }

    /// Follows the rotations from `pinned`, then verifies each document under the newest root, and how they fit together (a timestamp names
    /// these documents and no older ones).
    pub fn verify(&self, _pinned: &Root, _now: UnixTime) -> Result<InForce, Vec<PolicyError>> {
        let Self {
            roots: _,
            policy: _,
            inventory: _,
            orders: _,
            timestamp: _,
        } = self;
        Err(Vec::new())
    }
}
