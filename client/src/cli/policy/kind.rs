//! The kinds of documents that a security team signs, and how one is told from another.

use clap::ValueEnum;
use policy::{
    Envelope, Inventory, PayloadType, Policy, PolicyError, Timestamp, orders::Order,
    root::RootDocument,
};

/// A kind of document.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, ValueEnum)]
pub(super) enum Kind {
    /// Which nodes a prompt may go to
    Policy,
    /// Who may sign what
    Root,
    /// Whose each piece of hardware is and where it stands
    Inventory,
    /// What is stopped, or may start again
    Order,
    /// Which documents are the newest
    Timestamp,
}

impl Kind {
    pub(super) const ALL: [Self; 5] = [
        Self::Policy,
        Self::Root,
        Self::Inventory,
        Self::Order,
        Self::Timestamp,
    ];

    pub(super) const fn payload_type(self) -> PayloadType {
        match self {
            Self::Policy => PayloadType::Policy,
            Self::Root => PayloadType::Root,
            Self::Inventory => PayloadType::Inventory,
            Self::Order => PayloadType::Order,
            Self::Timestamp => PayloadType::Timestamp,
        }
    }

    /// The name on the command line.
    pub(super) const fn name(self) -> &'static str {
        match self {
            Self::Policy => "policy",
            Self::Root => "root",
            Self::Inventory => "inventory",
            Self::Order => "order",
            Self::Timestamp => "timestamp",
        }
    }

    /// Fields that no other kind has.
    const fn marks(self) -> &'static [&'static str] {
        match self {
            Self::Policy => &["freshness", "snp", "tdx"],
            Self::Root => &["roles", "keys"],
            Self::Inventory => &["hardware"],
            Self::Order => &["serial", "targets", "action"],
            Self::Timestamp => &["policy", "orders"],
        }
    }

    /// Whether `toml` is a good document of this kind: every mistake.
    pub(super) fn mistakes(self, toml: &[u8]) -> Vec<PolicyError> {
        let read = match self {
            Self::Policy => Policy::from_toml(toml).map(drop),
            Self::Root => RootDocument::from_toml(toml).map(drop),
            Self::Inventory => Inventory::from_toml(toml).map(drop),
            Self::Order => Order::from_toml(toml).map(drop),
            Self::Timestamp => Timestamp::from_toml(toml).map(drop),
        };
        read.err().unwrap_or_default()
    }

    /// By what only one kind has; a document that is no TOML is nobody's.
    pub(super) fn recognised(toml: &[u8]) -> Option<Self> {
        let table: toml::Table = toml::from_str(str::from_utf8(toml).ok()?).ok()?;
        let has_mark = |kind: &Self| kind.marks().iter().any(|mark| table.contains_key(*mark));
        Self::ALL.into_iter().find(has_mark)
    }

    pub(super) fn of_envelope(envelope: &Envelope) -> Option<Self> {
        let is = |kind: &Self| envelope.payload_type() == kind.payload_type().as_str();
        Self::ALL.into_iter().find(is)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_kind_is_told_by_its_fields() {
        for kind in Kind::ALL {
            for mark in kind.marks() {
                let toml = format!("schema = 1\n{mark} = 1\n");
                assert_eq!(Kind::recognised(toml.as_bytes()), Some(kind), "{mark}");
            }
        }
        assert_eq!(Kind::recognised(b"schema = 1"), None);
        assert_eq!(Kind::recognised(b"schema = "), None);
    }
}
