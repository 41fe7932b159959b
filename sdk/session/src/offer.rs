//! `GET /narthex/v1/offers`: the nodes that the gateway has on offer, best first. Its word is a hint, not an admission.

use serde::Deserialize;
use std::collections::HashSet;

/// Where a gateway says what it has on offer.
pub const OFFERS_PATH: &str = "/narthex/v1/offers";
/// Most bytes of its answer.
pub const MAX_OFFERS_BYTES: usize = 256 * 1024;
const MAX_OFFERS: usize = 256;
const MAX_NODE_BYTES: usize = 63;
const MAX_PATH_BYTES: usize = 1024;

/// One node on offer, and its paths at the gateway.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
pub struct Offer {
    /// 1 to 63 of `a-z 0-9 -`.
    pub node: String,
    /// Where sealed requests go.
    pub relay: String,
    /// Where nonces go.
    pub challenge: String,
    /// Where the signed key list is.
    pub keys: String,
    /// Its share of the load, as the gateway sees it; already in the order.
    pub weight: u64,
}

/// Why an answer is no list of offers.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum OffersError {
    /// Not of that form, too many, a node twice, or a name or path that is none.
    #[error("the offers are malformed or too many")]
    Malformed,
    /// No node on offer.
    #[error("the gateway offers no node")]
    Empty,
}

#[derive(Deserialize)]
struct Offers {
    offers: Vec<Offer>,
}

/// Parses the answer; names are checked, since they are shown and compared, and paths, since they become part of a URL.
pub fn parse(bytes: &[u8]) -> Result<Vec<Offer>, OffersError> {
    let malformed = || OffersError::Malformed;
    let Offers { offers } = serde_json::from_slice(bytes).map_err(|_| malformed())?;
    let mut names = HashSet::new();
    let mut is_sound = |offer: &Offer| is_plain(offer) && names.insert(offer.node.clone());
    if offers.len() > MAX_OFFERS || !offers.iter().all(&mut is_sound) {
        return Err(malformed());
    }
    if offers.is_empty() {
        return Err(OffersError::Empty);
    }
    Ok(offers)
}

fn is_plain(offer: &Offer) -> bool {
    let paths = [&offer.relay, &offer.challenge, &offer.keys];
    is_node_name(&offer.node) && paths.iter().all(|path| is_path(path))
}

fn is_node_name(name: &str) -> bool {
    let allowed = |byte: u8| matches!(byte, b'a'..=b'z' | b'0'..=b'9' | b'-');
    (1..=MAX_NODE_BYTES).contains(&name.len()) && name.bytes().all(allowed)
}

/// An absolute path without anything that a URL parser drops, folds or takes for a host.
fn is_path(path: &str) -> bool {
    let plain = |byte: u8| byte.is_ascii_graphic() && !matches!(byte, b'\\' | b'#' | b'@');
    let absolute = path.starts_with('/') && !path.starts_with("//");
    absolute && path.len() <= MAX_PATH_BYTES && path.bytes().all(plain)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn offers(node: &str, relay: &str) -> String {
        format!(
            r#"{{"offers":[{{"node":"{node}","relay":"{relay}","challenge":"/c","keys":"/k","weight":1}}]}}"#
        )
    }

    #[test]
    fn names_and_paths_are_checked_because_they_are_shown_and_followed() {
        let parsed = parse(offers("node-1", "/r").as_bytes()).unwrap();
        assert_eq!(parsed[0].node, "node-1");
        for name in ["", "Node", "a b", "a\\u001b", &"a".repeat(64)] {
            let error = parse(offers(name, "/r").as_bytes()).unwrap_err();
            assert_eq!(error, OffersError::Malformed, "{name}");
        }
        for path in [
            "",
            "r",
            "//evil.example",
            "/\\\\evil.example",
            "https://evil.example/",
            "/a b",
            "/a#b",
        ] {
            let error = parse(offers("node-1", path).as_bytes()).unwrap_err();
            assert_eq!(error, OffersError::Malformed, "{path}");
        }
    }

    #[test]
    fn a_node_stands_once_on_offer() {
        let one = r#"{"node":"node-1","relay":"/r","challenge":"/c","keys":"/k","weight":1}"#;
        let error = parse(format!(r#"{{"offers":[{one},{one}]}}"#).as_bytes()).unwrap_err();
        assert_eq!(error, OffersError::Malformed);
    }

    #[test]
    fn no_offer_is_an_error() {
        let error = parse(br#"{"offers":[]}"#).unwrap_err();
        assert_eq!(error, OffersError::Empty);
        assert_eq!(parse(b"{}").unwrap_err(), OffersError::Malformed);
    }
}
