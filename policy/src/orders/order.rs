//! One order: schema 1 of its document (docs/policy-documents.md, "Orders").

use super::Target;
use crate::{
    PolicyError, Role,
    document::{
        head,
        mistakes::Mistakes,
        reader::{Field, Section},
    },
};
use attestation::{Digest, UnixTime, crypto};

/// Largest order accepted, in bytes.
pub const MAX_ORDER_BYTES: usize = 1024 * 1024;

/// What an order does to its targets.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Action {
    /// Stops them.
    Stop,
    /// Takes an earlier stop of the same targets back.
    Start,
}

/// One order as it stands, whoever signed it: for linting and signing; only [`crate::Orders`] obeys.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Order {
    digest: Digest,
    serial: u64,
    previous: Option<Digest>,
    issued: UnixTime,
    action: Action,
    targets: Vec<Target>,
    reason: String,
}

impl Action {
    /// The action's name in a document.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Stop => "stop",
            Self::Start => "start",
        }
    }

    /// Who may order it.
    #[must_use]
    pub const fn role(self) -> Role {
        match self {
            Self::Stop => Role::Stop,
            Self::Start => Role::Start,
        }
    }
}

impl Order {
    /// Parses an unsigned document. All mistakes at once.
    pub fn from_toml(bytes: &[u8]) -> Result<Self, Vec<PolicyError>> {
        let digest = crypto::sha256(bytes);
        head::parse(bytes, MAX_ORDER_BYTES, |document, mistakes| {
            read(digest, document, mistakes)
        })
    }

    /// SHA-256 of the document's bytes.
    #[must_use]
    pub const fn digest(&self) -> &Digest {
        &self.digest
    }

    /// Its place in the log, from 1.
    #[must_use]
    pub const fn serial(&self) -> u64 {
        self.serial
    }

    /// SHA-256 of the order before; `None` exactly for the first.
    #[must_use]
    pub const fn previous(&self) -> Option<&Digest> {
        self.previous.as_ref()
    }

    /// When it was issued.
    #[must_use]
    pub const fn issued(&self) -> UnixTime {
        self.issued
    }

    /// What it does.
    #[must_use]
    pub const fn action(&self) -> Action {
        self.action
    }

    /// To what: at least one, none twice.
    #[must_use]
    pub fn targets(&self) -> &[Target] {
        &self.targets
    }

    /// Why, for people.
    #[must_use]
    pub fn reason(&self) -> &str {
        &self.reason
    }
}

fn read(digest: Digest, document: &mut Section<'_>, mistakes: &mut Mistakes<'_>) -> Option<Order> {
    let serial = head::version(document, "serial", mistakes);
    let previous = previous(document, serial, mistakes);
    let issued = document.read("issued", mistakes, Field::time);
    let action = document.read("action", mistakes, action);
    let targets = document.read("targets", mistakes, targets);
    let reason = document.read("reason", mistakes, Field::text);
    Some(Order {
        digest,
        serial: serial?,
        previous: previous?,
        issued: issued?,
        action: action?,
        targets: targets?,
        reason: reason?,
    })
}

/// The first order has none before it, every other one has.
fn previous(
    document: &mut Section<'_>,
    serial: Option<u64>,
    mistakes: &mut Mistakes<'_>,
) -> Option<Option<Digest>> {
    if serial? > 1 {
        return document.read("previous", mistakes, Field::digest).map(Some);
    }
    let Some(field) = document.optional("previous") else {
        return Some(None);
    };
    mistakes.note(field.at, |at| PolicyError::Conflict {
        at,
        field: field.path,
        other: "`serial`: there is no order before the first",
    });
    None
}

fn action(field: Field<'_>, mistakes: &mut Mistakes<'_>) -> Option<Action> {
    let actions = [("stop", Action::Stop), ("start", Action::Start)];
    field.named(&actions, mistakes)
}

fn targets(field: Field<'_>, mistakes: &mut Mistakes<'_>) -> Option<Vec<Target>> {
    let entries = field.entries(mistakes)?;
    let count = entries.len();
    let mut targets = Vec::with_capacity(count);
    let mut seen = std::collections::BTreeSet::new();
    for entry in entries {
        let (offset, field) = (entry.at, entry.path.clone());
        let Some(target) = entry.parsed(KINDS, mistakes, Target::parse) else {
            continue;
        };
        if seen.insert(target.clone()) {
            targets.push(target);
        } else {
            mistakes.note(offset, |at| PolicyError::Duplicate { at, field });
        }
    }
    (targets.len() == count).then_some(targets)
}

const KINDS: &str = "`everything`, or one of `node:`, `site:` with a name, or `snp:`, `tdx:`, `nvidia:`, `model:`, `measurement:`, `tenant:` \
                     with its hexadecimal digits";
