//! A sealed model's manifest of any bytes, and any envelope around one: what is accepted has one encoding.
#![no_main]

use ciborium::Value;
use narthex_fuzz::{parts, seeds};
use policy::TrustRoot;
use sealed_model::{MANIFEST_NAME, Manifest, MemoryStore, SealedModel};

libfuzzer_sys::fuzz_target!(init: plant(), |data: &[u8]| check(data));

fn check(data: &[u8]) {
    if let Ok(manifest) = Manifest::from_cbor(data) {
        assert_eq!(manifest.to_cbor(), data);
        let segments: u64 = manifest.files().iter().map(|file| file.segments()).sum();
        let most = segments * u64::from(manifest.segment_size().bytes());
        assert!(manifest.total_bytes() <= most);
    }
    let mut store = MemoryStore::default();
    store.insert(MANIFEST_NAME, data);
    let owner = TrustRoot::new(vec![[7; 32]], 1).expect("one key");
    assert!(SealedModel::from_store(Box::new(store), &owner).is_err());
    if let Some([name, _]) = parts::<2>(data) {
        let name = String::from_utf8_lossy(name);
        if let Some(parsed) = sealed_model::FileName::parse(&name) {
            assert_eq!(parsed.as_str(), name);
            let outside = |part: &str| part.is_empty() || part == "." || part == "..";
            assert!(!name.split('/').any(outside));
        }
    }
}

fn plant() {
    seeds::plant([manifest(1, &["a"]), manifest(4097, &["a", "b/c"])]);
}

/// A manifest of files of `length` bytes.
fn manifest(length: u64, names: &[&str]) -> Vec<u8> {
    let segment = 4096_u32;
    let header = [
        &b"NXSEAL01"[..],
        &1_u32.to_be_bytes(),
        &segment.to_be_bytes(),
        &[7; 64],
    ]
    .concat();
    let segments = vec![9; 32 * length.div_ceil(segment.into()) as usize];
    let bytes = |bytes: &[u8]| Value::Bytes(bytes.to_vec());
    let file = |name: &&str| {
        attestation::cbor::map([
            ("name", Value::from(*name)),
            ("length", Value::from(length)),
            ("sha256", bytes(&[8; 32])),
            ("header", bytes(&header)),
            ("segments", bytes(&segments)),
        ])
    };
    attestation::cbor::encode(&attestation::cbor::map([
        ("v", Value::from(1)),
        ("model-id", bytes(&[5; 32])),
        ("key-id", bytes(&[6; 32])),
        ("segment-bytes", Value::from(segment)),
        ("files", Value::Array(names.iter().map(file).collect())),
    ]))
}
