//! The timestamp: a short-lived word that these are the newest documents, so that a host that is kept from newer ones notices.

mod error;

pub use error::{Here, TimestampError};

use crate::{
    Envelope, PayloadType, PolicyError, TrustRoot,
    document::{
        head::{self, MAX_VERSION},
        mistakes::Mistakes,
        reader::{Field, Section},
    },
};
use attestation::{Digest, UnixTime, crypto};

/// Largest timestamp accepted, in bytes.
pub const MAX_TIMESTAMP_BYTES: usize = 1024 * 1024;

/// One parsed timestamp.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Timestamp {
    /// Strictly rising.
    pub version: u64,
    /// SHA-256 of the document.
    pub digest: Digest,
    /// When it was signed.
    pub issued: UnixTime,
    /// Last second of its life.
    pub expires: UnixTime,
    /// The newest root.
    pub root: Listed,
    /// The newest policy.
    pub policy: Listed,
    /// The newest inventory, if there is one.
    pub inventory: Option<Listed>,
    /// The last order (its serial), if there is one.
    pub orders: Option<Listed>,
}

/// A document as a timestamp names it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Listed {
    /// Version or serial; 0 for a root of keys that were given by hand.
    pub version: u64,
    /// SHA-256 of the document.
    pub digest: Digest,
}

impl Timestamp {
    /// Parses an unsigned document. All mistakes at once.
    pub fn from_toml(bytes: &[u8]) -> Result<Self, Vec<PolicyError>> {
        let digest = crypto::sha256(bytes);
        head::parse(bytes, MAX_TIMESTAMP_BYTES, |document, mistakes| {
            read(digest, document, mistakes)
        })
    }

    /// Opens the envelope under the keys of the role `timestamp`, then parses its payload.
    pub fn from_envelope(envelope: &Envelope, keys: &TrustRoot) -> Result<Self, Vec<PolicyError>> {
        match envelope.open(PayloadType::Timestamp, keys) {
            Ok(payload) => Self::from_toml(payload),
            Err(error) => Err(vec![error.into()]),
        }
    }
}

fn read(
    digest: Digest,
    document: &mut Section<'_>,
    mistakes: &mut Mistakes<'_>,
) -> Option<Timestamp> {
    let version = head::version(document, "version", mistakes);
    let issued = document.read("issued", mistakes, Field::time);
    let window = head::until(document, ("issued", issued), mistakes);
    let root = document.read("root", mistakes, |field, mistakes| {
        listed(field, ("version", 0), mistakes)
    });
    let policy = document.read("policy", mistakes, |field, mistakes| {
        listed(field, ("version", 1), mistakes)
    });
    let inventory = if_there(document, "inventory", "version", mistakes);
    let orders = if_there(document, "orders", "serial", mistakes);
    let (issued, expires) = window?;
    Some(Timestamp {
        version: version?,
        digest,
        issued,
        expires,
        root: root?,
        policy: policy?,
        inventory: inventory?,
        orders: orders?,
    })
}

/// A table that may be left out: `Some(None)`; `None` if it is a mistake.
fn if_there(
    document: &mut Section<'_>,
    name: &str,
    number: &'static str,
    mistakes: &mut Mistakes<'_>,
) -> Option<Option<Listed>> {
    match document.optional(name) {
        None => Some(None),
        Some(field) => listed(field, (number, 1), mistakes).map(Some),
    }
}

/// A number by its name, not below `least`, and a digest.
fn listed(
    field: Field<'_>,
    (number, least): (&str, u64),
    mistakes: &mut Mistakes<'_>,
) -> Option<Listed> {
    let mut section = field.section(mistakes)?;
    let version = section.read(number, mistakes, |field, mistakes| {
        field.integer(least..=MAX_VERSION, mistakes)
    });
    let digest = section.read("digest", mistakes, Field::digest);
    section.close(mistakes);
    Some(Listed {
        version: version?,
        digest: digest?,
    })
}
