//! What an order is about.

use crate::HardwareId;
use attestation::Digest;
use std::fmt;

/// Longest name of a node or a site, in characters.
const MAX_NAME_CHARS: usize = 128;

/// What an order is about.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Target {
    /// Whatever obeys this root.
    Everything,
    /// The node of this name.
    Node(String),
    /// The nodes that this piece of hardware is part of.
    Hardware(HardwareId),
    /// The nodes that serve the model with this digest.
    Model(Digest),
    /// The nodes with this launch measurement (MEASUREMENT or MRTD).
    Measurement([u8; 48]),
    /// The requests of the tenant with this key.
    Tenant([u8; 32]),
    /// The nodes whose hardware the inventory places there.
    Site(String),
}

impl Target {
    /// `everything`, `node:NAME`, `snp:HEX`, `tdx:HEX`, `nvidia:HEX`, `model:HEX`, `measurement:HEX`, `tenant:HEX` or `site:NAME`.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        if text == "everything" {
            return Some(Self::Everything);
        }
        let (kind, value) = text.split_once(':')?;
        match kind {
            "node" => name(value).map(Self::Node),
            "site" => name(value).map(Self::Site),
            "model" => bytes(value).map(Self::Model),
            "measurement" => bytes(value).map(Self::Measurement),
            "tenant" => bytes(value).map(Self::Tenant),
            _ => HardwareId::parse(text).map(Self::Hardware),
        }
    }
}

fn name(text: &str) -> Option<String> {
    let fits = (1..=MAX_NAME_CHARS).contains(&text.chars().count());
    (fits && !text.contains(char::is_control)).then(|| text.to_owned())
}

fn bytes<const N: usize>(hex: &str) -> Option<[u8; N]> {
    let mut bytes = [0; N];
    hex::decode_to_slice(hex, &mut bytes).ok().map(|()| bytes)
}

impl fmt::Display for Target {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Everything => f.write_str("everything"),
            Self::Node(name) => write!(f, "node:{name}"),
            Self::Hardware(id) => id.fmt(f),
            Self::Model(digest) => write!(f, "model:{}", hex::encode(digest)),
            Self::Measurement(digest) => write!(f, "measurement:{}", hex::encode(digest)),
            Self::Tenant(key) => write!(f, "tenant:{}", hex::encode(key)),
            Self::Site(name) => write!(f, "site:{name}"),
        }
    }
}
