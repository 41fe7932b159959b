//! The inventory: whose each piece of hardware is and where it stands.

use crate::{Envelope, HardwareId, PolicyError, TrustRoot};
use attestation::{Digest, UnixTime};
use std::collections::HashMap;

/// One parsed inventory.
#[derive(Clone, Debug)]
pub struct Inventory {
    version: u64,
    digest: Digest,
    entries: HashMap<HardwareId, Placement>,
}

/// Where a piece of hardware is, and whose.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Placement {
    /// Who owns it.
    pub owner: String,
    /// The site's name.
    pub site: String,
    /// ISO 3166-1 alpha-2, upper case.
    pub country: String,
    /// First second of the entry.
    pub valid_from: UnixTime,
    /// Last second of the entry; `None`: as long as the document.
    pub valid_until: Option<UnixTime>,
    /// Evidence of custody: what people can look up (a protocol's number, a digest).
    pub custody: Option<String>,
}

impl Inventory {
    /// Parses an unsigned document (for `lint` and signing). All mistakes at once.
    pub fn from_toml(_bytes: &[u8]) -> Result<Self, Vec<PolicyError>> {
        Err(Vec::new())
    }

    /// Opens the envelope under the keys of the role `inventory`, then parses its payload.
    pub fn from_envelope(
        _envelope: &Envelope,
        _keys: &TrustRoot,
    ) -> Result<Self, Vec<PolicyError>> {
        Err(Vec::new())
    }

    /// The document's `version`, strictly rising.
    #[must_use]
    pub const fn version(&self) -> u64 {
        self.version
    }

    /// SHA-256 of the document's bytes.
    #[must_use]
    pub const fn digest(&self) -> &Digest {
        &self.digest
    }

    /// The entry of `id`, whether or not it is valid now.
    #[must_use]
    pub fn find(&self, id: &HardwareId) -> Option<&Placement> {
        self.entries.get(id)
    }

    /// Where `id` is at `now`; `None` if the document or the entry is of another time, or lists it not.
    #[must_use]
    pub fn placed(&self, id: &HardwareId, now: UnixTime) -> Option<&Placement> {
        let placement = self.find(id)?;
        let ended = placement.valid_until.is_some_and(|until| now > until);
        (now >= placement.valid_from && !ended).then_some(placement)
    }

    /// Every entry, in no order.
    pub fn iter(&self) -> impl Iterator<Item = (&HardwareId, &Placement)> {
        self.entries.iter()
    }
}
