//! A JSON object taken field by field: doubled fields are refused, and so is by name whatever nobody took.

use super::ApiError;
use serde::{
    Deserialize, Deserializer,
    de::{DeserializeOwned, MapAccess, Visitor},
};
use serde_json::value::RawValue;
use std::fmt;

/// Most fields of one object.
const MAX_FIELDS: usize = 64;

/// The fields of one object that nobody took yet; the values are slices of the body.
pub struct Fields<'a> {
    /// What stands before a field's name in an error: empty, or `messages[0].`.
    prefix: String,
    entries: Vec<(String, &'a RawValue)>,
}

/// The entries as they stand.
struct Entries<'a>(Vec<(String, &'a RawValue)>);

impl<'a> Fields<'a> {
    /// The object that is the whole of `body`.
    pub fn of_body(body: &'a [u8]) -> Result<Self, ApiError> {
        let entries: Entries<'a> = serde_json::from_slice(body)
            .map_err(|error| ApiError::invalid_json(error.line(), error.column()))?;
        Self::checked(entries, String::new())
    }

    /// The object `value` that is called `name`.
    pub fn of_value(value: &'a RawValue, name: &str) -> Result<Self, ApiError> {
        let entries: Entries<'a> =
            serde_json::from_str(value.get()).map_err(|_| ApiError::invalid(name, "an object"))?;
        Self::checked(entries, format!("{name}."))
    }

    fn checked(Entries(mut entries): Entries<'a>, prefix: String) -> Result<Self, ApiError> {
        entries.sort_by(|(a, _), (b, _)| a.cmp(b));
        let doubled = entries.array_windows().find(|[(a, _), (b, _)]| a == b);
        match doubled {
            Some([(name, _), _]) => Err(ApiError::doubled(&format!("{prefix}{name}"))),
            None => Ok(Self { prefix, entries }),
        }
    }

    /// Takes field `name` as it stands; null counts as absent, as in OpenAI's API.
    pub fn take_raw(&mut self, name: &str) -> Option<&'a RawValue> {
        let at = self.entries.iter().position(|(entry, _)| entry == name)?;
        let (_, value) = self.entries.swap_remove(at);
        (value.get() != "null").then_some(value)
    }

    /// Takes field `name` as a `T`, which an error calls `expected`.
    pub fn take<T: DeserializeOwned>(
        &mut self,
        name: &str,
        expected: &str,
    ) -> Result<Option<T>, ApiError> {
        self.take_raw(name)
            .map(|value| serde_json::from_str(value.get()))
            .transpose()
            .map_err(|_| ApiError::invalid(self.full(name), expected))
    }

    /// The name of a field as an error says it.
    pub fn full(&self, name: &str) -> String {
        format!("{}{name}", self.prefix)
    }

    /// Whether nothing is left; else what is left is refused by name.
    pub fn finish(self) -> Result<(), ApiError> {
        match self.entries.first() {
            None => Ok(()),
            Some((name, _)) => Err(ApiError::unsupported(self.full(name))),
        }
    }
}

impl<'de: 'a, 'a> Deserialize<'de> for Entries<'a> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_map(EntriesVisitor).map(Self)
    }
}

struct EntriesVisitor;

impl<'de> Visitor<'de> for EntriesVisitor {
    type Value = Vec<(String, &'de RawValue)>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "an object of at most {MAX_FIELDS} fields")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
        let mut entries = Vec::new();
        while let Some(entry) = map.next_entry()? {
            if entries.len() == MAX_FIELDS {
                return Err(serde::de::Error::invalid_length(MAX_FIELDS + 1, &self));
            }
            entries.push(entry);
        }
        Ok(entries)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn code(result: Result<(), ApiError>) -> &'static str {
        result.unwrap_err().code
    }

    #[test]
    fn gives_each_field_once() {
        let mut fields = Fields::of_body(br#"{"a": 1, "b": null}"#).unwrap();
        assert_eq!(fields.take::<u32>("a", "a number").unwrap(), Some(1));
        assert_eq!(fields.take::<u32>("a", "a number").unwrap(), None);
        assert_eq!(fields.take::<u32>("b", "a number").unwrap(), None);
        fields.finish().unwrap();
    }

    #[test]
    fn refuses_what_is_left_doubled_or_mistyped() {
        let parse = |body: &str| Fields::of_body(body.as_bytes()).map(drop);
        assert_eq!(
            code(Fields::of_body(b"{\"x\":1}").unwrap().finish()),
            "unsupported_parameter"
        );
        assert_eq!(code(parse(r#"{"a":1,"b":2,"a":1}"#)), "doubled_parameter");
        for body in ["", "[]", "1", "{", r#"{"a":1} x"#, r#"{"a":}"#] {
            assert_eq!(code(parse(body)), "invalid_json", "{body}");
        }
        let mut fields = Fields::of_body(br#"{"a": "text"}"#).unwrap();
        assert_eq!(
            fields.take::<u32>("a", "a number").unwrap_err().code,
            "invalid_value"
        );
    }

    #[test]
    fn refuses_too_many_fields() {
        let fields: Vec<_> = (0..=MAX_FIELDS).map(|n| format!("\"f{n}\":0")).collect();
        let body = format!("{{{}}}", fields.join(","));
        assert_eq!(
            code(Fields::of_body(body.as_bytes()).map(drop)),
            "invalid_json"
        );
    }
}
