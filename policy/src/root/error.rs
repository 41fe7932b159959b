//! Why a root was refused.

use crate::{Position, Role, SignatureError};
use attestation::UnixTime;

/// Why a root was refused; `code()` is stable.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum RootError {
    /// A role names a key that the document does not have.
    #[error("{at}: there is no key {name:?} in `keys`")]
    UnknownKey {
        /// Where.
        at: Position,
        /// The name.
        name: String,
    },
    /// A key that no role names.
    #[error("{at}: the key {name:?} has no role; remove it, or give it one")]
    UnusedKey {
        /// Where.
        at: Position,
        /// The name.
        name: String,
    },
    /// A rotation of keys that were given by hand.
    #[error("keys that were given by hand do not rotate: pin a root document")]
    Fixed,
    /// Not signed by those who hold the root so far.
    #[error("by the root's keys so far: {0}")]
    Outgoing(SignatureError),
    /// Not signed by the keys of its own role `root`.
    #[error("by the document's own root keys: {0}")]
    Own(SignatureError),
    /// A version that does not follow.
    #[error("version {found} does not follow; the next root is version {expected}")]
    Version {
        /// The next version.
        expected: u64,
        /// That of the document.
        found: u64,
    },
    /// The successor of another first version.
    #[error("`anchor` names another first version")]
    Anchor,
    /// Another document of the version that is pinned.
    #[error("version {version} is not the document that is pinned")]
    Other {
        /// The version of both.
        version: u64,
    },
    /// A window that has not begun.
    #[error("the root is not valid before {}", .not_before.to_rfc3339())]
    NotBefore {
        /// First second of its life.
        not_before: UnixTime,
    },
    /// A window that has ended: nothing new is verified under it.
    #[error("the root has expired at {}: get its successor", .expires.to_rfc3339())]
    Expired {
        /// Last second of its life.
        expires: UnixTime,
    },
    /// A document whose role nobody has.
    #[error("the root gives nobody the role {role}")]
    NoRole {
        /// The role.
        role: Role,
    },
}

impl RootError {
    /// Stable code, e.g. `policy.root.expired`.
    #[must_use]
    pub const fn code(&self) -> &'static str {
        match self {
            Self::UnknownKey { .. } => "policy.root.unknown_key",
            Self::UnusedKey { .. } => "policy.root.unused_key",
            Self::Fixed => "policy.root.fixed",
            Self::Outgoing(error) | Self::Own(error) => error.code(),
            Self::Version { .. } => "policy.root.version",
            Self::Anchor => "policy.root.anchor",
            Self::Other { .. } => "policy.root.other",
            Self::NotBefore { .. } => "policy.root.not_before",
            Self::Expired { .. } => "policy.root.expired",
            Self::NoRole { .. } => "policy.root.no_role",
        }
    }

    /// Where in the document, if it is a mistake of the document.
    pub(crate) const fn position(&self) -> Option<Position> {
        match self {
            Self::UnknownKey { at, .. } | Self::UnusedKey { at, .. } => Some(*at),
            _ => None,
        }
    }
}
