//! API keys: who may use the gateway. They say nothing about who may read a prompt.

use aws_lc_rs::{constant_time::verify_slices_are_equal, digest};
use hyper::{HeaderMap, header::AUTHORIZATION};

/// Longest key looked at, in bytes.
const MAX_KEY_BYTES: usize = 512;

/// SHA-256 of one key; the key itself is known to its holder only.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct KeyDigest(pub(crate) [u8; 32]);

/// The digests of all keys that are let in.
#[derive(Clone, Debug)]
pub(crate) struct ApiKeys(Vec<KeyDigest>);

/// Which key of the configuration, counted from 0.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct KeyNumber(pub(crate) usize);

/// The request carries no key that is let in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Unauthorized;

impl ApiKeys {
    pub(crate) fn new(digests: impl IntoIterator<Item = KeyDigest>) -> Self {
        Self(digests.into_iter().collect())
    }

    /// Checks the one `Authorization: Bearer KEY` of a request against every digest, in a time that depends on no key.
    pub(crate) fn authenticate(&self, headers: &HeaderMap) -> Result<KeyNumber, Unauthorized> {
        let presented = digest::digest(&digest::SHA256, bearer(headers)?);
        let matches =
            |known: &KeyDigest| verify_slices_are_equal(&known.0, presented.as_ref()).is_ok();
        let numbered = self.0.iter().enumerate();
        let found = numbered.fold(
            None,
            |found, (number, known)| {
                if matches(known) { Some(number) } else { found }
            },
        );
        found.map(KeyNumber).ok_or(Unauthorized)
    }
}

fn bearer(headers: &HeaderMap) -> Result<&[u8], Unauthorized> {
    let mut values = headers.get_all(AUTHORIZATION).iter();
    let (Some(value), None) = (values.next(), values.next()) else {
        return Err(Unauthorized);
    };
    let (scheme, key) = value
        .as_bytes()
        .split_at_checked("Bearer ".len())
        .ok_or(Unauthorized)?;
    let well_formed =
        scheme.eq_ignore_ascii_case(b"bearer ") && !key.is_empty() && key.len() <= MAX_KEY_BYTES;
    well_formed.then_some(key).ok_or(Unauthorized)
}

#[cfg(test)]
mod tests {
    use super::*;
    use hyper::header::HeaderValue;

    fn keys(known: &[&str]) -> ApiKeys {
        let sha256 = |key: &&str| digest::digest(&digest::SHA256, key.as_bytes());
        ApiKeys::new(
            known
                .iter()
                .map(|key| KeyDigest(sha256(key).as_ref().try_into().unwrap())),
        )
    }

    fn headers(values: &[&str]) -> HeaderMap {
        let mut headers = HeaderMap::new();
        for value in values {
            headers.append(AUTHORIZATION, HeaderValue::from_str(value).unwrap());
        }
        headers
    }

    #[test]
    fn a_known_key_is_let_in() {
        let keys = keys(&["one", "two"]);
        for (number, value) in ["Bearer one", "bearer two"].into_iter().enumerate() {
            let known = keys.authenticate(&headers(&[value]));
            assert_eq!(known, Ok(KeyNumber(number)), "{value}");
        }
    }

    #[test]
    fn anything_else_is_refused() {
        let long = format!("Bearer {}", "k".repeat(MAX_KEY_BYTES + 1));
        let keys = keys(&["one", "two", "", &"k".repeat(MAX_KEY_BYTES + 1)]);
        let cases: &[&[&str]] = &[
            &[],
            &["Bearer three"],
            &["Bearer "],
            &["Bearer"],
            &["Basic one"],
            &["one"],
            &["Bearer  one"],
            &["Bearer one "],
            &[&long],
            &["Bearer one", "Bearer one"],
        ];
        for case in cases {
            assert_eq!(
                keys.authenticate(&headers(case)),
                Err(Unauthorized),
                "{case:?}"
            );
        }
    }

    #[test]
    fn no_keys_let_nobody_in() {
        assert_eq!(
            keys(&[]).authenticate(&headers(&["Bearer one"])),
            Err(Unauthorized)
        );
    }
}
