//! The inventory: whose each piece of hardware is and where it stands.

mod document;
mod entries;

use crate::{
    Envelope, HardwareId, PayloadType, PolicyError, TrustRoot,
    document::head::{self, Head},
};
use attestation::{Digest, UnixTime, crypto};
use entries::Entries;
use std::sync::Arc;

/// Largest inventory accepted, in bytes.
pub const MAX_INVENTORY_BYTES: usize = 16 * 1024 * 1024;

/// One parsed inventory.
#[derive(Clone, Debug)]
pub struct Inventory {
    digest: Digest,
    head: Head,
    entries: Entries,
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
    pub fn from_toml(bytes: &[u8]) -> Result<Self, Vec<PolicyError>> {
        let (head, entries) = head::parse(bytes, MAX_INVENTORY_BYTES, document::read)?;
        Ok(Self {
            digest: crypto::sha256(bytes),
            head,
            entries,
        })
    }

    /// Opens the envelope under the keys of the role `inventory`, then parses its payload.
    pub fn from_envelope(envelope: &Envelope, keys: &TrustRoot) -> Result<Self, Vec<PolicyError>> {
        match envelope.open(PayloadType::Inventory, keys) {
            Ok(payload) => Self::from_toml(payload),
            Err(error) => Err(vec![error.into()]),
        }
    }

    /// The document's `version`, strictly rising.
    #[must_use]
    pub const fn version(&self) -> u64 {
        self.head.version
    }

    /// SHA-256 of the document's bytes.
    #[must_use]
    pub const fn digest(&self) -> &Digest {
        &self.digest
    }

    /// `name`.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.head.name
    }

    /// First second of the document's life.
    #[must_use]
    pub const fn not_before(&self) -> UnixTime {
        self.head.window.not_before
    }

    /// Last second of the document's life: after it, nothing is placed anywhere.
    #[must_use]
    pub const fn expires(&self) -> UnixTime {
        self.head.window.expires
    }

    /// The entry of `id`, whether or not it is valid now.
    #[must_use]
    pub fn find(&self, id: &HardwareId) -> Option<&Placement> {
        self.entries.get(id).map(AsRef::as_ref)
    }

    /// Where `id` is at `now`; `None` if the document or the entry is of another time, or lists it not.
    #[must_use]
    pub fn placed(&self, id: &HardwareId, now: UnixTime) -> Option<&Placement> {
        self.shared(id, now).map(AsRef::as_ref)
    }

    /// [`Self::placed`], for an admission to keep.
    pub(crate) fn shared(&self, id: &HardwareId, now: UnixTime) -> Option<&Arc<Placement>> {
        let of_this_time = self.not_before() <= now && now <= self.expires();
        let placement = self.entries.get(id).filter(|_| of_this_time)?;
        let ended = placement.valid_until.is_some_and(|until| now > until);
        (now >= placement.valid_from && !ended).then_some(placement)
    }

    /// Every entry, in no order.
    pub fn iter(&self) -> impl Iterator<Item = (&HardwareId, &Placement)> {
        let entries = self.entries.iter();
        entries.map(|(id, placement)| (id, placement.as_ref()))
    }

    /// Number of entries, at least one.
    #[must_use]
    #[expect(clippy::len_without_is_empty, reason = "an inventory is never empty")]
    pub fn len(&self) -> usize {
        self.entries.len()
    }
}
