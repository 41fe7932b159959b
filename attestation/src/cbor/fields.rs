//! A decoded map with text keys, emptied field by field so that an unknown key cannot go unseen.

use ciborium::Value;
use std::collections::BTreeMap;

/// The fields of a map that were not taken yet. Every `take_*` answers `None` for an absent or mistyped field.
#[derive(Debug)]
pub struct Fields(BTreeMap<String, Value>);

impl Fields {
    /// Decodes as [`super::decode`] does; `None` also for anything but a map whose keys are all text.
    #[must_use]
    pub fn decode(bytes: &[u8], max_bytes: usize) -> Option<Self> {
        Self::of(super::decode(bytes, max_bytes)?)
    }

    /// The fields of a map inside what was decoded; `None` as above.
    #[must_use]
    pub fn of(value: Value) -> Option<Self> {
        let entries = value.into_map().ok()?;
        let fields = entries
            .into_iter()
            .map(|(key, value)| Some((key.into_text().ok()?, value)));
        fields.collect::<Option<_>>().map(Self)
    }

    /// The field `key`, whatever its type.
    pub fn take(&mut self, key: &str) -> Option<Value> {
        self.0.remove(key)
    }

    /// The field `key` as text.
    pub fn take_text(&mut self, key: &str) -> Option<String> {
        self.take(key)?.into_text().ok()
    }

    /// The field `key` as a byte string.
    pub fn take_bytes(&mut self, key: &str) -> Option<Vec<u8>> {
        self.take(key)?.into_bytes().ok()
    }

    /// The field `key` as a byte string of exactly `N` bytes.
    pub fn take_array<const N: usize>(&mut self, key: &str) -> Option<[u8; N]> {
        self.take_bytes(key)?.try_into().ok()
    }

    /// The field `key` as an unsigned integer that fits `T`.
    pub fn take_uint<T: TryFrom<u64>>(&mut self, key: &str) -> Option<T> {
        let integer = self.take(key)?.into_integer().ok()?;
        u64::try_from(integer).ok()?.try_into().ok()
    }

    /// Whether the field `key` is there.
    #[must_use]
    pub fn has(&self, key: &str) -> bool {
        self.0.contains_key(key)
    }

    /// `Some` if every field was taken.
    #[must_use]
    pub fn finish(self) -> Option<()> {
        self.0.is_empty().then_some(())
    }
}

/// A map with text keys, ready for [`super::encode`].
#[must_use]
pub fn map<'a>(fields: impl IntoIterator<Item = (&'a str, Value)>) -> Value {
    let entry = |(key, value): (&str, Value)| (Value::from(key), value);
    Value::Map(fields.into_iter().map(entry).collect())
}

#[cfg(test)]
mod tests {
    use super::{Fields, map};
    use crate::cbor;
    use ciborium::Value;

    fn fields() -> Fields {
        let bytes = cbor::encode(&map([
            ("text", Value::from("t")),
            ("bytes", Value::Bytes(vec![1, 2])),
            ("uint", Value::from(300)),
            ("negative", Value::from(-1)),
        ]));
        Fields::decode(&bytes, 1024).unwrap()
    }

    #[test]
    fn fields_come_out_by_type() {
        assert_eq!(fields().take_text("text").as_deref(), Some("t"));
        assert_eq!(fields().take_bytes("bytes"), Some(vec![1, 2]));
        assert_eq!(fields().take_array("bytes"), Some([1, 2]));
        assert_eq!(fields().take_uint::<u16>("uint"), Some(300));
    }

    #[test]
    fn mistyped_absent_and_narrow_fields_do_not() {
        assert_eq!(fields().take_text("bytes"), None);
        assert_eq!(fields().take_bytes("text"), None);
        assert_eq!(fields().take_array::<3>("bytes"), None);
        assert_eq!(fields().take_uint::<u8>("uint"), None);
        assert_eq!(fields().take_uint::<u64>("negative"), None);
        assert_eq!(fields().take("absent"), None);
    }

    #[test]
    fn leftovers_are_seen() {
        assert!(fields().finish().is_none());
        let mut fields = fields();
        for key in ["text", "bytes", "uint", "negative"] {
            assert!(fields.has(key));
            fields.take(key);
        }
        assert!(fields.finish().is_some());
    }

    #[test]
    fn only_maps_with_text_keys_are_fields() {
        for value in [
            Value::Array(vec![]),
            Value::Map(vec![(Value::from(1), Value::Null)]),
        ] {
            assert!(Fields::decode(&cbor::encode(&value), 64).is_none());
        }
    }
}
