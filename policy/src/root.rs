//! The root document: which keys have which role, and how they are exchanged for others (TUF's root semantics).

mod document;
mod error;

pub use document::{NamedKey, RootDocument};
pub use error::RootError;

use crate::{Envelope, PayloadType, PolicyError, Role, TrustRoot, document::head::Window};
use attestation::{Digest, UnixTime};
use std::collections::BTreeMap;

/// Largest root document accepted, in bytes.
pub const MAX_ROOT_BYTES: usize = 1024 * 1024;

/// Who may sign what, verified.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Root {
    version: u64,
    digest: Digest,
    anchor: Digest,
    name: String,
    window: Option<Window>,
    keys: Vec<NamedKey>,
    roles: BTreeMap<Role, TrustRoot>,
}

impl Root {
    /// Keys given by hand instead of a document: they sign policies, inventories and timestamps. Nobody may stop or start anything, and
    /// nothing rotates.
    #[must_use]
    pub fn of_keys(keys: TrustRoot) -> Self {
        let digest = keys.digest();
        Self {
            version: 0,
            digest,
            anchor: digest,
            name: String::new(),
            window: None,
            keys: Vec::new(),
            roles: BTreeMap::from([
                (Role::Policy, keys.clone()),
                (Role::Inventory, keys.clone()),
                (Role::Timestamp, keys),
            ]),
        }
    }

    /// A document that its user trusts as it stands: it must be signed by the threshold of its own role `root`.
    pub fn pinned(envelope: &Envelope) -> Result<Self, Vec<PolicyError>> {
        let document = RootDocument::of(envelope)?;
        let root = Self::of_document(document);
        root.signed_by_itself(envelope)?;
        Ok(root)
    }

    /// Its successor: version one higher, same anchor, signed by the threshold of this one's role `root` and of its own.
    pub fn rotated(&self, successor: &Envelope) -> Result<Self, Vec<PolicyError>> {
        let keys = self
            .role(Role::Root)
            .ok_or_else(|| refused(RootError::Fixed))?;
        let payload = successor
            .open(PayloadType::Root, keys)
            .map_err(|error| refused(RootError::Outgoing(error)))?;
        let next = Self::of_document(RootDocument::from_toml(payload)?);
        next.signed_by_itself(successor)?;
        self.precedes(&next).map_err(refused)?;
        Ok(next)
    }

    /// The keys of `role` and how many must sign; `None`: nobody has it.
    #[must_use]
    pub fn role(&self, role: Role) -> Option<&TrustRoot> {
        self.roles.get(&role)
    }

    /// The keys of `role`, where a signature of it is asked for.
    pub(crate) fn required(&self, role: Role) -> Result<&TrustRoot, RootError> {
        self.role(role).ok_or(RootError::NoRole { role })
    }

    /// What names this root through all its rotations: the digest of its first version; of keys given by hand, [`TrustRoot::digest`].
    /// Manifests carry it as `policy-root`.
    #[must_use]
    pub const fn anchor(&self) -> &Digest {
        &self.anchor
    }

    /// The document's version, from 1; 0 for keys given by hand.
    #[must_use]
    pub const fn version(&self) -> u64 {
        self.version
    }

    /// SHA-256 of the document; of keys given by hand, [`TrustRoot::digest`].
    #[must_use]
    pub const fn digest(&self) -> &Digest {
        &self.digest
    }

    /// `name`; empty for keys given by hand.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }

    /// First second of the document's life; keys given by hand have no beginning.
    #[must_use]
    pub fn not_before(&self) -> Option<UnixTime> {
        self.window.map(|window| window.not_before)
    }

    /// Last second of the document's life; keys given by hand have no end.
    #[must_use]
    pub fn expires(&self) -> Option<UnixTime> {
        self.window.map(|window| window.expires)
    }

    /// What the document calls `key`.
    #[must_use]
    pub fn name_of(&self, key: &[u8; 32]) -> Option<&str> {
        let named = self.keys.iter().find(|named| named.key == *key)?;
        Some(&named.name)
    }

    /// The document's keys in its order; none for keys given by hand.
    #[must_use]
    pub fn keys(&self) -> &[NamedKey] {
        &self.keys
    }

    /// Whether documents may be verified under it at `now`.
    pub(crate) fn judge_window(&self, now: UnixTime) -> Result<(), RootError> {
        match self.window {
            Some(Window { not_before, .. }) if now < not_before => {
                Err(RootError::NotBefore { not_before })
            }
            Some(Window { expires, .. }) if now > expires => Err(RootError::Expired { expires }),
            _ => Ok(()),
        }
    }

    fn of_document(document: RootDocument) -> Self {
        let (digest, head) = (document.digest, document.head);
        Self {
            version: head.version,
            digest,
            anchor: document.anchor.unwrap_or(digest),
            name: head.name,
            window: Some(head.window),
            keys: document.keys,
            roles: document.roles,
        }
    }

    fn signed_by_itself(&self, envelope: &Envelope) -> Result<(), Vec<PolicyError>> {
        let keys = self.required(Role::Root).map_err(refused)?;
        match envelope.open(PayloadType::Root, keys) {
            Ok(_) => Ok(()),
            Err(error) => Err(refused(RootError::Own(error))),
        }
    }

    fn precedes(&self, next: &Self) -> Result<(), RootError> {
        let (expected, found) = (self.version.saturating_add(1), next.version);
        if found != expected {
            return Err(RootError::Version { expected, found });
        }
        if next.anchor != self.anchor {
            return Err(RootError::Anchor);
        }
        Ok(())
    }
}

fn refused(error: RootError) -> Vec<PolicyError> {
    vec![error.into()]
}
