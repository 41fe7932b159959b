//! One strict check of deterministic encoding (RFC 8949 section 4.2.1) at the boundary, with caps on size and depth.

mod fields;

pub use fields::{Fields, map};

use ciborium::Value;

/// Deepest nesting of arrays and maps.
const MAX_DEPTH: usize = 8;
/// What ciborium may recurse before it gives up; [`is_plain`] counts exactly.
const PARSER_DEPTH: usize = 4 * MAX_DEPTH;

/// Decodes `bytes` if they are exactly one deterministically encoded item of at most `max_bytes`, without floats, tags or simple values
/// other than booleans and null, nested at most 8 deep: shortest integers and lengths, no indefinite lengths, map keys sorted and unique.
// R2.2
#[must_use]
pub fn decode(bytes: &[u8], max_bytes: usize) -> Option<Value> {
    if bytes.len() > max_bytes {
        return None;
    }
    let value: Value = ciborium::de::from_reader_with_recursion_limit(bytes, PARSER_DEPTH).ok()?;
    // Whatever a lenient parser lets through (long integers, indefinite lengths, unsorted keys, trailing bytes) encodes differently.
    (is_plain(&value, 0) && encode(&value) == bytes).then_some(value)
}

/// Encodes deterministically: map keys are sorted by their encoded bytes.
#[must_use]
pub fn encode(value: &Value) -> Vec<u8> {
    write(&sorted(value))
}

/// No floats, no tags, no doubled keys, not too deep.
// R2.1
fn is_plain(value: &Value, depth: usize) -> bool {
    match value {
        Value::Integer(_) | Value::Bytes(_) | Value::Text(_) | Value::Bool(_) | Value::Null => true,
        Value::Array(items) => {
            depth < MAX_DEPTH && items.iter().all(|item| is_plain(item, depth + 1))
        }
        Value::Map(entries) => {
            let items = entries.iter().flat_map(|(key, value)| [key, value]);
            depth < MAX_DEPTH
                && items.into_iter().all(|item| is_plain(item, depth + 1))
                && has_unique_keys(entries)
        }
        _ => false,
    }
}

fn has_unique_keys(entries: &[(Value, Value)]) -> bool {
    let mut keys: Vec<_> = entries.iter().map(|(key, _)| encode(key)).collect();
    keys.sort_unstable();
    keys.windows(2).all(|pair| pair.first() != pair.last())
}

fn sorted(value: &Value) -> Value {
    match value {
        Value::Array(items) => Value::Array(items.iter().map(sorted).collect()),
        Value::Map(entries) => {
            let mut entries: Vec<_> = entries
                .iter()
                .map(|(key, value)| (sorted(key), sorted(value)))
                .collect();
            entries.sort_by_cached_key(|(key, _)| write(key));
            Value::Map(entries)
        }
        Value::Tag(tag, item) => Value::Tag(*tag, Box::new(sorted(item))),
        other => other.clone(),
    }
}

/// Writing a `Value` to memory cannot fail; were it to, nothing (which no reader takes for CBOR) is written instead of a part.
fn write(value: &Value) -> Vec<u8> {
    let mut bytes = Vec::new();
    match ciborium::into_writer(value, &mut bytes) {
        Ok(()) => bytes,
        Err(_) => Vec::new(),
    }
}

#[cfg(test)]
mod tests {
    use super::{decode, encode};
    use ciborium::Value;
    use proptest::prelude::*;

    fn accepts(hex_text: &str) -> bool {
        decode(&hex::decode(hex_text).unwrap(), 1024).is_some()
    }

    #[test]
    fn deterministic_items_are_accepted() {
        for item in [
            "00",
            "17",
            "1818",
            "20",
            "1bffffffffffffffff",
            "3bffffffffffffffff",
            "40",
            "4101",
            "60",
            "6161",
            "80",
            "820102",
            "a0",
            "a201020304",
            "a2616101626161f6",
            "f4",
            "f5",
            "f6",
            "8181818181818180",
        ] {
            assert!(accepts(item), "{item}");
        }
    }

    /// R2.1.
    #[test]
    fn everything_else_is_refused() {
        for (item, fault) in [
            ("", "nothing"),
            ("0000", "trailing byte"),
            ("1817", "integer longer than needed"),
            ("190018", "integer longer than needed"),
            ("580101", "length longer than needed"),
            ("9f01ff", "indefinite array"),
            ("5f4101ff", "indefinite string"),
            ("bfff", "indefinite map"),
            ("a203040102", "keys not sorted"),
            ("a201020102", "doubled key"),
            ("a2a001a002", "doubled key that is a map"),
            ("f93c00", "float"),
            ("fb3ff0000000000000", "float"),
            ("c100", "tag"),
            ("c24105", "bignum"),
            ("c249010000000000000000", "bignum"),
            ("f7", "undefined"),
            ("e0", "simple value"),
            ("62c328", "text that is not UTF-8"),
            ("4201", "cut short"),
            ("8201", "cut short"),
            ("9bffffffffffffffff", "length beyond the input"),
            ("5bffffffffffffffff", "length beyond the input"),
            ("818181818181818180", "nested nine deep"),
        ] {
            assert!(!accepts(item), "{item}: {fault}");
        }
        assert!(!accepts(&"81".repeat(1000)));
    }

    /// R2.2.
    #[test]
    fn the_size_cap_is_exact() {
        let bytes = encode(&Value::Bytes(vec![7; 30]));
        assert!(decode(&bytes, bytes.len()).is_some());
        assert!(decode(&bytes, bytes.len() - 1).is_none());
    }

    #[test]
    fn keys_are_sorted_by_their_encoding() {
        let map = |keys: &[&str]| {
            Value::Map(
                keys.iter()
                    .map(|key| (Value::from(*key), Value::Null))
                    .collect(),
            )
        };
        assert_eq!(encode(&map(&["aa", "b"])), encode(&map(&["b", "aa"])));
        assert_eq!(
            encode(&map(&["aa", "b"])),
            hex::decode("a26162f6626161f6").unwrap()
        );
    }

    fn any_value() -> impl Strategy<Value = Value> {
        let leaf = prop_oneof![
            any::<i64>().prop_map(Value::from),
            any::<u64>().prop_map(Value::from),
            any::<bool>().prop_map(Value::from),
            Just(Value::Null),
            prop::collection::vec(any::<u8>(), 0..40).prop_map(Value::from),
            ".{0,12}".prop_map(Value::from),
        ];
        leaf.prop_recursive(6, 40, 6, |inner| {
            prop_oneof![
                prop::collection::vec(inner.clone(), 0..6).prop_map(Value::Array),
                prop::collection::btree_map(any::<u16>(), inner, 0..6).prop_map(|map| {
                    Value::Map(map.into_iter().map(|(k, v)| (k.into(), v)).collect())
                }),
            ]
        })
    }

    proptest! {
        #[test]
        fn what_is_encoded_decodes(value in any_value()) {
            let bytes = encode(&value);
            let decoded = decode(&bytes, 1 << 20);
            prop_assert_eq!(decoded.as_ref().map(encode), Some(bytes));
        }

        #[test]
        fn accepted_bytes_are_the_only_encoding(bytes in prop::collection::vec(any::<u8>(), 0..64)) {
            if let Some(value) = decode(&bytes, 64) {
                prop_assert_eq!(encode(&value), bytes);
            }
        }
    }
}
