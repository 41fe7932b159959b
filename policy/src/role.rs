//! Who may sign what: the roles that a root document gives keys to.

use crate::PayloadType;
use std::fmt;

/// A role of a [`crate::Root`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Role {
    /// Signs root documents.
    Root,
    /// Signs policies.
    Policy,
    /// Signs inventories.
    Inventory,
    /// Signs orders that stop something.
    Stop,
    /// Signs orders that let something start again; its threshold is above that of [`Role::Stop`].
    Start,
    /// Signs timestamps.
    Timestamp,
}

impl Role {
    /// Every role, in the order in which documents name them.
    pub const ALL: [Self; 6] = [
        Self::Root,
        Self::Policy,
        Self::Inventory,
        Self::Stop,
        Self::Start,
        Self::Timestamp,
    ];

    /// The role's name in a root document.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Root => "root",
            Self::Policy => "policy",
            Self::Inventory => "inventory",
            Self::Stop => "stop",
            Self::Start => "start",
            Self::Timestamp => "timestamp",
        }
    }

    /// The kind of document that the role signs.
    #[must_use]
    pub const fn signs(self) -> PayloadType {
        match self {
            Self::Root => PayloadType::Root,
            Self::Policy => PayloadType::Policy,
            Self::Inventory => PayloadType::Inventory,
            Self::Stop | Self::Start => PayloadType::Order,
            Self::Timestamp => PayloadType::Timestamp,
        }
    }

    /// Whether every root document must give this role to somebody.
    pub(crate) const fn is_required(self) -> bool {
        matches!(self, Self::Root | Self::Policy)
    }
}

impl fmt::Display for Role {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}
