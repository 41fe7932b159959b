//! `stop`: null, one string, or up to four.

use super::{ApiError, fields::Fields};
use serde::Deserialize;
use serde_json::value::RawValue;

const MAX_STOPS: usize = 4;
const MAX_STOP_BYTES: usize = 1024;
/// Every byte escaped, and room for white space.
const MAX_TEXT_BYTES: usize = 8 * MAX_STOPS * MAX_STOP_BYTES;
const EXPECTED: &str = "a string or up to 4 strings, none empty, none over 1024 bytes";

#[derive(Deserialize)]
#[serde(untagged)]
enum OneOrMany {
    One(String),
    Many(Vec<String>),
}

/// Takes `stop`.
pub(crate) fn take_stop(fields: &mut Fields<'_>) -> Result<Vec<String>, ApiError> {
    let stops = match fields.take_raw("stop") {
        None => Vec::new(),
        Some(value) => read(value).ok_or_else(|| ApiError::invalid("stop", EXPECTED))?,
    };
    let fits = |stop: &String| (1..=MAX_STOP_BYTES).contains(&stop.len());
    if stops.len() <= MAX_STOPS && stops.iter().all(fits) {
        Ok(stops)
    } else {
        Err(ApiError::invalid("stop", EXPECTED))
    }
}

fn read(value: &RawValue) -> Option<Vec<String>> {
    // Parsed JSON takes many times the memory of its text.
    let text = Some(value.get()).filter(|text| text.len() <= MAX_TEXT_BYTES)?;
    Some(match serde_json::from_str(text).ok()? {
        OneOrMany::One(stop) => vec![stop],
        OneOrMany::Many(stops) => stops,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn take(body: &str) -> Result<Vec<String>, ApiError> {
        take_stop(&mut Fields::of_body(body.as_bytes()).unwrap())
    }

    #[test]
    fn takes_none_one_or_four() {
        assert!(take(r#"{"stop":null}"#).unwrap().is_empty());
        assert_eq!(take(r#"{"stop":"a"}"#).unwrap(), ["a"]);
        assert_eq!(take(r#"{"stop":["a","b","c","d"]}"#).unwrap().len(), 4);
    }

    #[test]
    fn refuses_others() {
        let long = format!(r#"{{"stop":"{}"}}"#, "x".repeat(MAX_STOP_BYTES + 1));
        let escaped = format!(r#"{{"stop":"{}"}}"#, "\\u0041".repeat(MAX_STOP_BYTES));
        assert_eq!(take(&escaped).unwrap(), ["A".repeat(MAX_STOP_BYTES)]);
        let blank = format!(r#"{{"stop":["a"{}]}}"#, " ".repeat(MAX_TEXT_BYTES));
        for body in [
            &blank,
            r#"{"stop":""}"#,
            r#"{"stop":["a","b","c","d","e"]}"#,
            r#"{"stop":5}"#,
            &long,
        ] {
            assert_eq!(take(body).unwrap_err().code, "invalid_value");
        }
    }
}
