//! Bytes in hexadecimal, of exactly the length that a field has.

use serde::{Deserialize, Deserializer, de::Error};

/// `N` bytes.
#[derive(Clone, Copy)]
pub(super) struct HexBytes<const N: usize>(pub(super) [u8; N]);

impl<const N: usize> Default for HexBytes<N> {
    fn default() -> Self {
        Self([0; N])
    }
}

impl<'de, const N: usize> Deserialize<'de> for HexBytes<N> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        let mut bytes = [0; N];
        hex::decode_to_slice(&text, &mut bytes)
            .map_err(|_| D::Error::custom(format!("not {} hexadecimal digits", 2 * N)))?;
        Ok(Self(bytes))
    }
}
