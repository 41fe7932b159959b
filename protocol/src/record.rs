//! CBOR maps with text keys whose every key is known: written and read field by field, nothing absent and nothing left over.

use attestation::cbor;
use ciborium::Value;

/// A record being written.
#[derive(Default)]
pub(crate) struct RecordWriter(Vec<(Value, Value)>);

impl RecordWriter {
    /// Adds a field.
    pub(crate) fn put(mut self, name: &str, value: impl Into<Value>) -> Self {
        self.0.push((name.into(), value.into()));
        self
    }

    /// Adds a byte string.
    pub(crate) fn put_bytes(self, name: &str, bytes: &[u8]) -> Self {
        self.put(name, bytes)
    }

    /// Adds a field that may be absent.
    pub(crate) fn put_some(self, name: &str, value: Option<impl Into<Value>>) -> Self {
        match value {
            Some(value) => self.put(name, value),
            None => self,
        }
    }

    /// The deterministic encoding.
    pub(crate) fn encode(self) -> Vec<u8> {
        cbor::encode(&Value::Map(self.0))
    }
}

/// A record being read. Every reader gives `None` for an absent field or another type.
pub(crate) struct RecordReader(Vec<(Value, Value)>);

impl RecordReader {
    /// Reads a deterministically encoded map of at most `max_bytes`.
    pub(crate) fn decode(bytes: &[u8], max_bytes: usize) -> Option<Self> {
        cbor::decode(bytes, max_bytes)?.into_map().ok().map(Self)
    }

    /// An unsigned integer that fits `N`.
    pub(crate) fn uint<N: TryFrom<u64>>(&mut self, name: &str) -> Option<N> {
        let value = self.take(name)?.into_integer().ok()?;
        u64::try_from(value).ok()?.try_into().ok()
    }

    /// Text.
    pub(crate) fn text(&mut self, name: &str) -> Option<String> {
        self.take(name)?.into_text().ok()
    }

    /// A byte string.
    pub(crate) fn bytes(&mut self, name: &str) -> Option<Vec<u8>> {
        self.take(name)?.into_bytes().ok()
    }

    /// A byte string of exactly `N` bytes.
    pub(crate) fn array<const N: usize>(&mut self, name: &str) -> Option<[u8; N]> {
        self.bytes(name)?.try_into().ok()
    }

    /// Whether the record has the field.
    pub(crate) fn has(&self, name: &str) -> bool {
        self.position(name).is_some()
    }

    /// `record`, if every field of the map was read.
    pub(crate) fn complete<T>(self, record: T) -> Option<T> {
        self.0.is_empty().then_some(record)
    }

    fn take(&mut self, name: &str) -> Option<Value> {
        let position = self.position(name)?;
        Some(self.0.swap_remove(position).1)
    }

    fn position(&self, name: &str) -> Option<usize> {
        self.0.iter().position(|(key, _)| key.as_text() == Some(name))
    }
}
