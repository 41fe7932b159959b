//! The kinds of documents that a security team signs, and how one is told from another.

use super::super::{Exit, Failure, config, files};
use clap::ValueEnum;
use policy::{
    Envelope, Inventory, PayloadType, Policy, PolicyError, Timestamp, orders::Order,
    root::RootDocument, signature::MAX_ENVELOPE_BYTES,
};
use std::path::{Path, PathBuf};

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

/// A document as it stands in a file, in an envelope or by itself.
pub(super) struct Document {
    pub(super) path: PathBuf,
    pub(super) kind: Kind,
    pub(super) envelope: Envelope,
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
    fn recognised(toml: &[u8]) -> Option<Self> {
        let table: toml::Table = toml::from_str(str::from_utf8(toml).ok()?).ok()?;
        let has_mark = |kind: &Self| kind.marks().iter().any(|mark| table.contains_key(*mark));
        Self::ALL.into_iter().find(has_mark)
    }

    fn of_envelope(envelope: &Envelope) -> Option<Self> {
        let is = |kind: &Self| envelope.payload_type() == kind.payload_type().as_str();
        Self::ALL.into_iter().find(is)
    }
}

impl Document {
    /// Reads `path`; the kind is the envelope's, or `given`, or told from the fields, or else a policy.
    pub(super) fn read(path: &Path, given: Option<Kind>) -> Result<Self, Failure> {
        let bytes = files::read(path, MAX_ENVELOPE_BYTES)?;
        let (kind, envelope) = if bytes.trim_ascii_start().starts_with(b"{") {
            enveloped(config::parse_envelope(&bytes)?)?
        } else {
            let kind = given.or_else(|| Kind::recognised(&bytes));
            let kind = kind.unwrap_or(Kind::Policy);
            (kind, Envelope::unsigned(kind.payload_type(), bytes))
        };
        if let Some(given) = given.filter(|given| *given != kind) {
            return Err(other_kind(path, given, kind));
        }
        Ok(Self {
            path: path.to_owned(),
            kind,
            envelope,
        })
    }

    /// The document's text.
    pub(super) fn toml(&self) -> &[u8] {
        self.envelope.unverified_payload()
    }

    /// The same as text; a document that is none has been refused as such.
    pub(super) fn text(&self) -> Result<&str, Failure> {
        str::from_utf8(self.toml()).map_err(|_| {
            let code = PolicyError::NotUtf8.code();
            Failure::new(Exit::Malformed, code, PolicyError::NotUtf8.to_string())
        })
    }

    /// An error with every mistake, if there is one.
    pub(super) fn check(&self) -> Result<(), Failure> {
        let mistakes = self.kind.mistakes(self.toml());
        if mistakes.is_empty() {
            Ok(())
        } else {
            Err(config::policy_failure(&mistakes))
        }
    }
}

fn enveloped(envelope: Envelope) -> Result<(Kind, Envelope), Failure> {
    let kind = Kind::of_envelope(&envelope).ok_or_else(|| {
        let message = format!("an envelope for {:?}", envelope.payload_type());
        Failure::new(Exit::Malformed, "policy.signature.payload_type", message)
            .advice("envelopes are for policies, roots, inventories, orders and timestamps")
    })?;
    Ok((kind, envelope))
}

fn other_kind(path: &Path, given: Kind, found: Kind) -> Failure {
    let message = format!(
        "{} is an envelope for a document of kind {}, not {}",
        path.display(),
        found.name(),
        given.name()
    );
    Failure::new(Exit::Malformed, "policy.signature.payload_type", message)
        .advice("leave --kind out, or give the file that you mean")
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
