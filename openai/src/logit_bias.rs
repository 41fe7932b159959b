//! `logit_bias`: what is added to the logits of some tokens.

use super::{ApiError, fields::Fields};
use serde::{
    Deserialize, Deserializer,
    de::{Error, MapAccess, Visitor},
};
use std::fmt;

/// Most tokens that a request biases.
const MAX_ENTRIES: usize = 1024;
const EXPECTED: &str = "at most 1024 token ids, each once, with numbers from -100 to 100";

/// Takes `logit_bias`; ids ascending.
pub(crate) fn take_logit_bias(fields: &mut Fields<'_>) -> Result<Vec<(u32, f32)>, ApiError> {
    let given: Option<Entries> = fields.take("logit_bias", EXPECTED)?;
    let Entries(mut entries) = given.unwrap_or_default();
    entries.sort_unstable_by_key(|(id, _)| *id);
    let doubled = entries.array_windows().any(|[(a, _), (b, _)]| a == b);
    let is_biased = |(_, bias): &(u32, f32)| (-100.0..=100.0).contains(bias);
    match !doubled && entries.iter().all(is_biased) {
        true => Ok(entries),
        false => Err(ApiError::invalid("logit_bias", EXPECTED)),
    }
}

/// The entries as they stand.
#[derive(Default)]
struct Entries(Vec<(u32, f32)>);

impl<'de> Deserialize<'de> for Entries {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_map(EntriesVisitor).map(Self)
    }
}

struct EntriesVisitor;

impl<'de> Visitor<'de> for EntriesVisitor {
    type Value = Vec<(u32, f32)>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(EXPECTED)
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
        let mut entries = Vec::new();
        while let Some(entry) = map.next_entry()? {
            if entries.len() == MAX_ENTRIES {
                return Err(Error::invalid_length(MAX_ENTRIES + 1, &self));
            }
            entries.push(entry);
        }
        Ok(entries)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn take(bias: &str) -> Result<Vec<(u32, f32)>, ApiError> {
        let body = format!(r#"{{"logit_bias":{bias}}}"#);
        take_logit_bias(&mut Fields::of_body(body.as_bytes()).unwrap())
    }

    fn many(count: usize) -> String {
        let entries: Vec<_> = (0..count).map(|id| format!("\"{id}\":1")).collect();
        format!("{{{}}}", entries.join(","))
    }

    #[test]
    fn takes_ids_in_their_order() {
        assert_eq!(take("null"), Ok(Vec::new()));
        assert_eq!(take("{}"), Ok(Vec::new()));
        let taken = take(r#"{"50":-100,"7":0.5}"#);
        assert_eq!(taken, Ok(vec![(7, 0.5), (50, -100.0)]));
        assert_eq!(take(&many(MAX_ENTRIES)).unwrap().len(), MAX_ENTRIES);
    }

    #[test]
    fn refuses_others() {
        for bias in [
            r#"{"5":101}"#,
            r#"{"5":-100.5}"#,
            r#"{"5":"1"}"#,
            r#"{"-5":1}"#,
            r#"{"x":1}"#,
            r#"{"4294967296":1}"#,
            r#"{"5":1,"5":2}"#,
            "[]",
            &many(MAX_ENTRIES + 1),
        ] {
            assert_eq!(take(bias).unwrap_err().code, "invalid_value");
        }
    }
}
