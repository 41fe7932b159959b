//! `GET /narthex/v1/offers`: the nodes that the gateway has on offer, best first. Its word is a hint, not an admission.

use crate::ClientError;
use serde::Deserialize;
use std::collections::HashSet;

pub(crate) const OFFERS_PATH: &str = "/narthex/v1/offers";
pub(crate) const MAX_OFFERS_BYTES: usize = 256 * 1024;
const MAX_OFFERS: usize = 256;
const MAX_NODE_BYTES: usize = 63;

/// One node on offer, and its paths at the gateway.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
pub(crate) struct Offer {
    /// 1 to 63 of `a-z 0-9 -`.
    pub(crate) node: String,
    /// Where sealed requests go.
    pub(crate) relay: String,
    /// Where nonces go.
    pub(crate) challenge: String,
    /// Where the signed key list is.
    pub(crate) keys: String,
    /// Its share of the load, as the gateway sees it; already in the order.
    pub(crate) weight: u64,
}

#[derive(Deserialize)]
struct Offers {
    offers: Vec<Offer>,
}

/// Parses the answer; node names are checked, since they are shown and compared, and stand once each.
pub(crate) fn parse(bytes: &[u8]) -> Result<Vec<Offer>, ClientError> {
    let malformed = || ClientError::Answer("the offers");
    let Offers { offers } = serde_json::from_slice(bytes).map_err(|_| malformed())?;
    let mut names = HashSet::new();
    let mut is_sound =
        |offer: &Offer| is_node_name(&offer.node) && names.insert(offer.node.clone());
    if offers.len() > MAX_OFFERS || !offers.iter().all(&mut is_sound) {
        return Err(malformed());
    }
    if offers.is_empty() {
        return Err(ClientError::NoNode);
    }
    Ok(offers)
}

fn is_node_name(name: &str) -> bool {
    let length = (1..=MAX_NODE_BYTES).contains(&name.len());
    length
        && name
            .bytes()
            .all(|byte| matches!(byte, b'a'..=b'z' | b'0'..=b'9' | b'-'))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn offers(node: &str) -> String {
        format!(
            r#"{{"offers":[{{"node":"{node}","relay":"/r","challenge":"/c","keys":"/k","weight":1}}]}}"#
        )
    }

    #[test]
    fn node_names_are_checked_because_they_are_shown() {
        assert_eq!(
            parse(offers("node-1").as_bytes()).unwrap()[0].node,
            "node-1"
        );
        for name in ["", "Node", "a b", "a\\u001b", &"a".repeat(64)] {
            let error = parse(offers(name).as_bytes()).unwrap_err();
            assert_eq!(error.code(), "gateway.answer", "{name}");
        }
    }

    #[test]
    fn a_node_is_offered_once() {
        let one = r#"{"node":"a","relay":"/r","challenge":"/c","keys":"/k","weight":1}"#;
        let error = parse(format!(r#"{{"offers":[{one},{one}]}}"#).as_bytes()).unwrap_err();
        assert_eq!(error.code(), "gateway.answer");
    }

    #[test]
    fn no_offer_is_an_error() {
        let error = parse(br#"{"offers":[]}"#).unwrap_err();
        assert_eq!(error.code(), "gateway.no_node");
        assert_eq!(parse(b"{}").unwrap_err().code(), "gateway.answer");
    }
}
