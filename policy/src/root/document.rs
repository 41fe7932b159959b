//! Schema 1 of the root document (docs/policy-documents.md, "The root").

use super::{MAX_ROOT_BYTES, RootError};
use crate::{
    Envelope, PayloadType, PolicyError, Role, TrustRoot,
    document::{
        head::{self, Head},
        mistakes::Mistakes,
        reader::{Field, Section},
    },
    signature::MAX_KEYS,
};
use attestation::{Digest, UnixTime, crypto};
use std::collections::{BTreeMap, BTreeSet};

/// A root document as it stands, whoever signed it: for linting and signing, never for obeying.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RootDocument {
    pub(super) digest: Digest,
    pub(super) head: Head,
    pub(super) anchor: Option<Digest>,
    pub(super) keys: Vec<NamedKey>,
    pub(super) roles: BTreeMap<Role, TrustRoot>,
}

/// A key and what the document calls it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NamedKey {
    /// What people call it.
    pub name: String,
    /// Ed25519 public key.
    pub key: [u8; 32],
}

impl RootDocument {
    /// Parses an unsigned document. All mistakes at once.
    pub fn from_toml(bytes: &[u8]) -> Result<Self, Vec<PolicyError>> {
        let digest = crypto::sha256(bytes);
        head::parse(bytes, MAX_ROOT_BYTES, |document, mistakes| {
            read(digest, document, mistakes)
        })
    }

    /// What an envelope holds, whoever signed it.
    pub(crate) fn of(envelope: &Envelope) -> Result<Self, Vec<PolicyError>> {
        match envelope.unverified(PayloadType::Root) {
            Ok(payload) => Self::from_toml(payload),
            Err(error) => Err(vec![error.into()]),
        }
    }

    /// `version`, from 1.
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

    /// First second of its life.
    #[must_use]
    pub const fn not_before(&self) -> UnixTime {
        self.head.window.not_before
    }

    /// Last second of its life.
    #[must_use]
    pub const fn expires(&self) -> UnixTime {
        self.head.window.expires
    }

    /// `anchor`: the digest of version 1; absent exactly there.
    #[must_use]
    pub const fn anchor(&self) -> Option<&Digest> {
        self.anchor.as_ref()
    }

    /// The keys, in the document's order.
    #[must_use]
    pub fn keys(&self) -> &[NamedKey] {
        &self.keys
    }

    /// The keys of `role` and how many must sign; `None`: nobody has it.
    #[must_use]
    pub fn role(&self, role: Role) -> Option<&TrustRoot> {
        self.roles.get(&role)
    }
}

fn read(
    digest: Digest,
    document: &mut Section<'_>,
    mistakes: &mut Mistakes<'_>,
) -> Option<RootDocument> {
    let head = Head::read(document, mistakes);
    let anchor = anchor(document, head.as_ref(), mistakes);
    let keys = document.read("keys", mistakes, keys);
    let roles = document.required("roles", mistakes);
    let keys = keys?;
    let roles = roles.and_then(|field| roles_of(field, &keys, mistakes));
    Some(RootDocument {
        digest,
        head: head?,
        anchor: anchor?,
        keys: keys.into_iter().map(|(_, key)| key).collect(),
        roles: roles?,
    })
}

/// Version 1 is its own anchor; every later one names it.
fn anchor(
    document: &mut Section<'_>,
    head: Option<&Head>,
    mistakes: &mut Mistakes<'_>,
) -> Option<Option<Digest>> {
    if head?.version > 1 {
        return document.read("anchor", mistakes, Field::digest).map(Some);
    }
    let Some(field) = document.optional("anchor") else {
        return Some(None);
    };
    mistakes.note(field.at, |at| PolicyError::Conflict {
        at,
        field: field.path,
        other: "`version`: the first version is its own anchor",
    });
    None
}

/// `[[keys]]`, each with its place: no name and no key twice.
fn keys(field: Field<'_>, mistakes: &mut Mistakes<'_>) -> Option<Vec<(usize, NamedKey)>> {
    let mut keys: Vec<(usize, NamedKey)> = Vec::new();
    let entries = field.at_most(MAX_KEYS, mistakes)?;
    let count = entries.len();
    for entry in entries {
        let (offset, field) = (entry.at, entry.path.clone());
        let Some(key) = named_key(entry, mistakes) else {
            continue;
        };
        if keys.iter().any(|(_, other)| key.is_like(other)) {
            mistakes.note(offset, |at| PolicyError::Duplicate { at, field });
        } else {
            keys.push((offset, key));
        }
    }
    (keys.len() == count).then_some(keys)
}

fn named_key(field: Field<'_>, mistakes: &mut Mistakes<'_>) -> Option<NamedKey> {
    let mut section = field.section(mistakes)?;
    let name = section.read("name", mistakes, Field::text);
    let key = section.read("key", mistakes, Field::digest);
    section.close(mistakes);
    Some(NamedKey {
        name: name?,
        key: key?,
    })
}

impl NamedKey {
    fn is_like(&self, other: &Self) -> bool {
        self.name == other.name || self.key == other.key
    }
}

/// `[roles]`: every key has one.
fn roles_of(
    field: Field<'_>,
    keys: &[(usize, NamedKey)],
    mistakes: &mut Mistakes<'_>,
) -> Option<BTreeMap<Role, TrustRoot>> {
    let mut section = field.section(mistakes)?;
    let mut roles = BTreeMap::new();
    let mut used = BTreeSet::new();
    let mut complete = true;
    for role in Role::ALL {
        match role_of(role, &mut section, keys, mistakes) {
            Some(Some((keys, names))) => {
                roles.insert(role, keys);
                used.extend(names);
            }
            Some(None) => {}
            None => complete = false,
        }
    }
    let at = section.at;
    section.close(mistakes);
    complete.then_some(())?;
    unused(keys, &used, mistakes);
    start_above_stop(&roles, at, mistakes).then_some(roles)
}

/// One role with the names of its keys: `Some(None)` if nobody has it, `None` if it is a mistake.
#[expect(
    clippy::option_option,
    reason = "absent and mistaken are different things"
)]
fn role_of(
    role: Role,
    roles: &mut Section<'_>,
    keys: &[(usize, NamedKey)],
    mistakes: &mut Mistakes<'_>,
) -> Option<Option<(TrustRoot, Vec<String>)>> {
    let field = if role.is_required() {
        roles.required(role.as_str(), mistakes)?
    } else {
        match roles.optional(role.as_str()) {
            Some(field) => field,
            None => return Some(None),
        }
    };
    holders(field, keys, mistakes).map(Some)
}

/// `keys` and `threshold` of a role.
fn holders(
    field: Field<'_>,
    keys: &[(usize, NamedKey)],
    mistakes: &mut Mistakes<'_>,
) -> Option<(TrustRoot, Vec<String>)> {
    let mut section = field.section(mistakes)?;
    let names = section.read("keys", mistakes, |field, mistakes| {
        names(field, keys, mistakes)
    });
    let most = names.as_ref().map_or(MAX_KEYS, Vec::len);
    let threshold = section.read("threshold", mistakes, |field, mistakes| {
        field.integer(1..=most as u64, mistakes)
    });
    section.close(mistakes);
    let (names, threshold) = (names?, usize::try_from(threshold?).ok()?);
    let is_named = |key: &&NamedKey| names.contains(&key.name);
    let held = keys.iter().map(|(_, key)| key).filter(is_named);
    let root = TrustRoot::new(held.map(|key| key.key).collect(), threshold);
    Some((root.ok()?, names))
}

/// Names of keys, each of them known, none twice.
fn names(
    field: Field<'_>,
    keys: &[(usize, NamedKey)],
    mistakes: &mut Mistakes<'_>,
) -> Option<Vec<String>> {
    let mut names: Vec<String> = Vec::new();
    let entries = field.at_most(MAX_KEYS, mistakes)?;
    let count = entries.len();
    for entry in entries {
        let (offset, field) = (entry.at, entry.path.clone());
        let Some(name) = entry.text(mistakes) else {
            continue;
        };
        if !keys.iter().any(|(_, key)| key.name == name) {
            mistakes.note(offset, |at| RootError::UnknownKey { at, name }.into());
        } else if names.contains(&name) {
            mistakes.note(offset, |at| PolicyError::Duplicate { at, field });
        } else {
            names.push(name);
        }
    }
    (names.len() == count).then_some(names)
}

/// Whoever may start again what others stopped must be more than they were.
fn start_above_stop(
    roles: &BTreeMap<Role, TrustRoot>,
    offset: usize,
    mistakes: &mut Mistakes<'_>,
) -> bool {
    let threshold = |role| roles.get(&role).map(TrustRoot::threshold);
    match (threshold(Role::Stop), threshold(Role::Start)) {
        (_, None) => true,
        (Some(stop), Some(start)) if start > stop => true,
        _ => {
            mistakes.note(offset, |at| PolicyError::Conflict {
                at,
                field: "roles.start".to_owned(),
                other: "`roles.stop`, which must be there with a lower threshold",
            });
            false
        }
    }
}

fn unused(keys: &[(usize, NamedKey)], used: &BTreeSet<String>, mistakes: &mut Mistakes<'_>) {
    for (offset, key) in keys.iter().filter(|(_, key)| !used.contains(&key.name)) {
        let name = key.name.clone();
        mistakes.note(*offset, |at| RootError::UnusedKey { at, name }.into());
    }
}
