//! The root document: which keys have which role, and how they are exchanged for others (TUF's root semantics).

use crate::{Envelope, PolicyError, Role, TrustRoot};
use attestation::{Digest, UnixTime};
use std::collections::BTreeMap;

/// Who may sign what, verified.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Root {
    version: u64,
    digest: Digest,
    anchor: Digest,
    name: String,
    expires: Option<UnixTime>,
    roles: BTreeMap<Role, TrustRoot>,
}

impl Root {
    /// Keys given by hand instead of a document: they sign policies, inventories and timestamps. Nobody may stop or start anything, and
    /// nothing rotates.
    #[must_use]
    pub fn of_keys(keys: TrustRoot) -> Self {
        let digest = keys.digest();
        let roles = [Role::Policy, Role::Inventory, Role::Timestamp];
        Self {
            version: 0,
            digest,
            anchor: digest,
            name: String::new(),
            expires: None,
            roles: roles.into_iter().map(|role| (role, keys.clone())).collect(),
        }
    }

    /// A document that its user trusts as it stands: it must be signed by the threshold of its own role `root`.
    pub fn pinned(_envelope: &Envelope) -> Result<Self, Vec<PolicyError>> {
        Err(Vec::new())
    }

    /// Its successor: version one higher, same anchor, signed by the threshold of this one's role `root` and of its own.
    pub fn rotated(&self, _successor: &Envelope) -> Result<Self, Vec<PolicyError>> {
        Err(Vec::new())
    }

    /// The keys of `role` and how many must sign; `None`: nobody has it.
    #[must_use]
    pub fn role(&self, role: Role) -> Option<&TrustRoot> {
        self.roles.get(&role)
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

    /// Last second of the document's life; keys given by hand have no end.
    #[must_use]
    pub const fn expires(&self) -> Option<UnixTime> {
        self.expires
    }
}
