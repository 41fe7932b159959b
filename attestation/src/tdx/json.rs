//! How Intel's JSON writes bytes and dates.

use crate::UnixTime;
use serde::{Deserialize, Deserializer, de::Error as _};

/// `N` bytes in hexadecimal.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Hex<const N: usize>(pub(super) [u8; N]);

impl<'de, const N: usize> Deserialize<'de> for Hex<N> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        let mut bytes = [0; N];
        hex::decode_to_slice(text, &mut bytes)
            .map_err(|_| D::Error::custom(format_args!("not {N} bytes in hexadecimal")))?;
        Ok(Self(bytes))
    }
}

/// RFC 3339.
pub(super) fn date<'de, D: Deserializer<'de>>(deserializer: D) -> Result<UnixTime, D::Error> {
    let text = String::deserialize(deserializer)?;
    UnixTime::from_rfc3339(&text).ok_or_else(|| D::Error::custom("not a time of RFC 3339"))
}

/// What is wrong with a document, short enough to print.
pub(super) fn reason(error: &serde_json::Error) -> String {
    error.to_string().chars().take(200).collect()
}
