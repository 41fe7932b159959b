//! Who may sign what: the roles that a root document gives keys to.

/// A role of a [`crate::Root`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
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

/// Names of the roles in a document.
pub(crate) const ROLES: [(&str, Role); 6] = [
    ("root", Role::Root),
    ("policy", Role::Policy),
    ("inventory", Role::Inventory),
    ("stop", Role::Stop),
    ("start", Role::Start),
    ("timestamp", Role::Timestamp),
];
