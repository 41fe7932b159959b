//! Values in a request: byte strings in hexadecimal, time in RFC 3339.

use attestation::UnixTime;
use serde::Deserialize;

/// A byte string.
#[derive(Deserialize)]
#[serde(try_from = "String")]
pub(crate) struct Bytes(pub(crate) Vec<u8>);

/// A nonce or a register: 32 bytes.
#[derive(Deserialize)]
#[serde(try_from = "String")]
pub(crate) struct Bytes32(pub(crate) [u8; 32]);

/// When to judge.
#[derive(Deserialize)]
#[serde(try_from = "String")]
pub(crate) struct At(pub(crate) UnixTime);

impl TryFrom<String> for Bytes {
    type Error = hex::FromHexError;

    fn try_from(text: String) -> Result<Self, Self::Error> {
        hex::decode(text).map(Self)
    }
}

impl TryFrom<String> for Bytes32 {
    type Error = hex::FromHexError;

    fn try_from(text: String) -> Result<Self, Self::Error> {
        let mut bytes = [0; 32];
        hex::decode_to_slice(text, &mut bytes).map(|()| Self(bytes))
    }
}

impl TryFrom<String> for At {
    type Error = &'static str;

    fn try_from(text: String) -> Result<Self, Self::Error> {
        UnixTime::from_rfc3339(&text)
            .map(Self)
            .ok_or("not a time of RFC 3339")
    }
}

impl Bytes {
    pub(crate) fn slices(all: &[Self]) -> Vec<&[u8]> {
        all.iter().map(|one| one.0.as_slice()).collect()
    }

    pub(crate) fn vectors(all: &[Self]) -> Vec<Vec<u8>> {
        all.iter().map(|one| one.0.clone()).collect()
    }
}
