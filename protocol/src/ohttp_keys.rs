//! `application/ohttp-keys` (RFC 9458 section 3): key configurations, each after its length.

use crate::hpke::{KDF_HKDF_SHA256, Kem, Suite, aead_from_id, aead_id};

/// A configuration that this build can seal to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct KeyConfig {
    pub(crate) key_id: u8,
    pub(crate) suite: Suite,
    pub(crate) public_key: Vec<u8>,
}

/// Appends one configuration with one symmetric suite.
pub(crate) fn encode(config: &KeyConfig, out: &mut Vec<u8>) {
    let length = 1 + 2 + config.public_key.len() + 2 + 4;
    out.extend_from_slice(&(length as u16).to_be_bytes());
    out.push(config.key_id);
    out.extend_from_slice(&config.suite.kem.id().to_be_bytes());
    out.extend_from_slice(&config.public_key);
    out.extend_from_slice(&4_u16.to_be_bytes());
    out.extend_from_slice(&KDF_HKDF_SHA256.to_be_bytes());
    out.extend_from_slice(&aead_id(config.suite.aead).to_be_bytes());
}

/// Parses a list: the configurations whose KEM is spoken, each with its first suite that is spoken, in the list's order. `None` if any part
/// of the list is malformed.
// R5.2
pub(crate) fn parse(mut bytes: &[u8]) -> Option<Vec<KeyConfig>> {
    let mut configs = Vec::new();
    while !bytes.is_empty() {
        let length = take_u16(&mut bytes)?;
        configs.extend(parse_one(take(&mut bytes, length.into())?)?);
    }
    Some(configs)
}

/// `Some(None)`: well-formed as far as can be told, but of a KEM or of suites that are not spoken.
fn parse_one(mut bytes: &[u8]) -> Option<Option<KeyConfig>> {
    let [key_id] = take(&mut bytes, 1)?.try_into().ok()?;
    let Some(kem) = Kem::from_id(take_u16(&mut bytes)?) else {
        return Some(None);
    };
    let public_key = take(&mut bytes, kem.public_key_len())?.to_vec();
    let length = take_u16(&mut bytes)?;
    let (suites, odd) = bytes.as_chunks::<4>();
    if bytes.len() != usize::from(length) || suites.is_empty() || !odd.is_empty() {
        return None;
    }
    let aead = suites.iter().find_map(|suite| spoken(*suite));
    Some(aead.map(|aead| KeyConfig {
        key_id,
        suite: Suite { kem, aead },
        public_key,
    }))
}

/// The AEAD of a suite, if KDF and AEAD are spoken.
fn spoken([d0, d1, a0, a1]: [u8; 4]) -> Option<crate::crypto::Aead> {
    if u16::from_be_bytes([d0, d1]) != KDF_HKDF_SHA256 {
        return None;
    }
    aead_from_id(u16::from_be_bytes([a0, a1]))
}

fn take<'a>(bytes: &mut &'a [u8], length: usize) -> Option<&'a [u8]> {
    let (taken, rest) = bytes.split_at_checked(length)?;
    *bytes = rest;
    Some(taken)
}

fn take_u16(bytes: &mut &[u8]) -> Option<u16> {
    let [high, low] = take(bytes, 2)?.try_into().ok()?;
    Some(u16::from_be_bytes([high, low]))
}
