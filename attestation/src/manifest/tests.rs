use super::{Manifest, ManifestError};
use crate::cbor;
use ciborium::Value;
use proptest::prelude::*;

fn manifest() -> Manifest {
    Manifest {
        runtime_version: "0.1.0".into(),
        runtime_digest: [1; 32],
        model: "smollm2".into(),
        model_digest: [2; 32],
        tokenizer_digest: [3; 32],
        template_digest: [4; 32],
        aibom_digest: None,
        kernels_digest: [5; 32],
        engine: "cpu/deterministic".into(),
        isa: "scalar".into(),
        max_context_tokens: 2048,
        max_request_bytes: 65_536,
        padding: "off".into(),
        policy_root: [6; 32],
    }
}

type Entries = Vec<(Value, Value)>;

fn mutated(change: impl FnOnce(&mut Entries)) -> Result<Manifest, ManifestError> {
    let mut entries = cbor::decode(&manifest().to_cbor(), 1 << 14)
        .and_then(|value| value.into_map().ok())
        .unwrap();
    change(&mut entries);
    Manifest::from_cbor(&cbor::encode(&Value::Map(entries)))
}

fn set(entries: &mut [(Value, Value)], key: &str, value: Value) {
    let entry = entries.iter_mut().find(|(k, _)| k.as_text() == Some(key));
    entry.unwrap().1 = value;
}

#[test]
fn it_survives_the_wire() {
    let with_aibom = Manifest {
        aibom_digest: Some([7; 32]),
        ..manifest()
    };
    for manifest in [manifest(), with_aibom] {
        assert_eq!(Manifest::from_cbor(&manifest.to_cbor()), Ok(manifest));
    }
}

#[test]
fn every_key_but_the_aibom_is_required() {
    let keys = cbor::decode(&manifest().to_cbor(), 1 << 14).unwrap();
    for (key, _) in keys.into_map().unwrap() {
        let result = mutated(|entries| entries.retain(|(k, _)| *k != key));
        assert_eq!(result, Err(ManifestError::Malformed), "{key:?}");
    }
}

#[test]
fn unknown_keys_and_wrong_types_are_malformed() {
    let faults: [fn(&mut Entries); 7] = [
        |entries| entries.push(("extra".into(), 1.into())),
        |entries| set(entries, "model", Value::Bytes(vec![1])),
        |entries| set(entries, "model", "".into()),
        |entries| set(entries, "model", "m".repeat(1025).into()),
        |entries| set(entries, "model-digest", Value::Bytes(vec![1; 31])),
        |entries| {
            set(
                entries,
                "max-context-tokens",
                (u64::from(u32::MAX) + 1).into(),
            )
        },
        |entries| entries.push(("aibom-digest".into(), Value::Null)),
    ];
    for (number, fault) in faults.iter().enumerate() {
        assert_eq!(mutated(fault), Err(ManifestError::Malformed), "{number}");
    }
}

#[test]
fn trailing_bytes_are_malformed() {
    let mut bytes = manifest().to_cbor();
    bytes.push(0);
    assert_eq!(Manifest::from_cbor(&bytes), Err(ManifestError::Malformed));
}

/// R4.1.
#[test]
fn another_version_is_told_apart() {
    let result = mutated(|entries| set(entries, "v", 2.into()));
    assert_eq!(result, Err(ManifestError::UnknownVersion));
}

#[test]
fn the_digest_is_over_the_bytes_received() {
    let bytes = manifest().to_cbor();
    assert_eq!(Manifest::digest(&bytes), Manifest::digest(&bytes));
    assert_ne!(Manifest::digest(&bytes), Manifest::digest(&bytes[1..]));
}

proptest! {
    #[test]
    fn a_damaged_manifest_never_panics(at in 0_usize..600, bit in 0..8_u8) {
        let mut bytes = manifest().to_cbor();
        let at = at % bytes.len();
        bytes[at] ^= 1 << bit;
        if let Ok(parsed) = Manifest::from_cbor(&bytes) {
            prop_assert_eq!(parsed.to_cbor(), bytes);
        }
    }
}
