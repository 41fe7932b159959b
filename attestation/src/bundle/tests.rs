use super::{BundleError, EvidenceBundle, MAX_BUNDLE_BYTES};
use crate::{
    CpuEvidence, DeviceEvidence, IdentityKey, SnpEvidence, TdxEvidence, cbor,
    freshness::{Freshness, NoncePath},
};
use ciborium::Value;
use proptest::prelude::*;

fn snp() -> SnpEvidence {
    SnpEvidence {
        report: vec![1; 1184],
        vek: vec![2; 100],
        chain: vec![vec![3; 50]],
    }
}

/// A TDX node as a bundle carries it.
fn tdx_bundle() -> EvidenceBundle {
    EvidenceBundle {
        cpu: CpuEvidence::Tdx(TdxEvidence {
            quote: vec![14; 500],
            event_log: Some(vec![15; 70]),
        }),
        ..bundle()
    }
}

fn bundle() -> EvidenceBundle {
    EvidenceBundle {
        cpu: CpuEvidence::Snp(snp()),
        devices: vec![DeviceEvidence {
            report: vec![10; 90],
            chain: vec![vec![11; 40], vec![12; 40]],
        }],
        collateral: Some(vec![13; 60]),
        manifest: vec![4; 20],
        identity: IdentityKey([5; 32]),
        freshness: Freshness([6; 32]),
        nonce_path: Some(NoncePath {
            index: 1,
            size: 2,
            siblings: vec![[7; 32]],
        }),
        key_configs: Some(vec![8; 30]),
    }
}

fn mutated(change: impl FnOnce(&mut Vec<(Value, Value)>)) -> Result<EvidenceBundle, BundleError> {
    let mut entries = cbor::decode(&bundle().to_cbor(), MAX_BUNDLE_BYTES)
        .and_then(|value| value.into_map().ok())
        .unwrap();
    change(&mut entries);
    EvidenceBundle::from_cbor(&cbor::encode(&Value::Map(entries)))
}

fn with(name: &str, change: impl FnOnce(&mut Vec<Value>)) -> Result<EvidenceBundle, BundleError> {
    mutated(|entries| {
        let entry = entries.iter_mut().find(|(k, _)| k.as_text() == Some(name));
        change(entry.unwrap().1.as_array_mut().unwrap());
    })
}

#[test]
fn it_survives_the_wire_with_and_without_the_optional_entries() {
    let archived = EvidenceBundle {
        nonce_path: None,
        key_configs: None,
        devices: Vec::new(),
        collateral: None,
        ..bundle()
    };
    let built_in_chain = EvidenceBundle {
        cpu: CpuEvidence::Snp(SnpEvidence {
            chain: Vec::new(),
            ..snp()
        }),
        ..bundle()
    };
    for bundle in [bundle(), archived, built_in_chain, tdx_bundle()] {
        assert_eq!(EvidenceBundle::from_cbor(&bundle.to_cbor()), Ok(bundle));
    }
}

#[test]
fn too_large() {
    let bytes = vec![0; MAX_BUNDLE_BYTES + 1];
    let error = EvidenceBundle::from_cbor(&bytes).unwrap_err();
    assert_eq!(
        (error, error.code()),
        (BundleError::TooLarge, "bundle.size")
    );
}

#[test]
fn not_deterministic() {
    let mut bytes = bundle().to_cbor();
    bytes.push(0);
    let error = EvidenceBundle::from_cbor(&bytes).unwrap_err();
    assert_eq!(
        (error, error.code()),
        (BundleError::NotDeterministic, "bundle.encoding")
    );
}

#[test]
fn required_entries_are_required() {
    for name in ["cpu", "vek", "chain", "manifest", "identity", "freshness"] {
        let error = mutated(|entries| entries.retain(|(k, _)| k.as_text() != Some(name)));
        assert_eq!(error, Err(BundleError::Entry(name)));
        assert_eq!(error.unwrap_err().code(), "bundle.entry");
    }
}

#[test]
fn mistyped_entries_are_refused_by_name() {
    for name in [
        "cpu",
        "vek",
        "chain",
        "manifest",
        "identity",
        "freshness",
        "nonce-path",
        "keys",
        "devices",
        "collateral",
    ] {
        let faults: [fn(&mut Vec<Value>); 5] = [
            |record| record[0] = "text/plain".into(),
            |record| record[1] = Value::Null,
            |record| record[1] = Value::Bytes(Vec::new()),
            |record| record.push(Value::from(1)),
            |record| drop(record.pop()),
        ];
        for (number, fault) in faults.iter().enumerate() {
            assert_eq!(
                with(name, fault),
                Err(BundleError::Entry(name)),
                "{name} {number}"
            );
        }
    }
}

#[test]
fn malformed_insides_are_refused_by_name() {
    let chain = |certificates: usize| {
        let certificates = vec![Value::Bytes(vec![1]); certificates];
        Value::Bytes(cbor::encode(&Value::Array(certificates)))
    };
    assert!(with("chain", |record| record[1] = chain(4)).is_ok());
    let too_many = with("chain", |record| record[1] = chain(5));
    assert_eq!(too_many, Err(BundleError::Entry("chain")));
    let short = with("identity", |record| record[1] = Value::Bytes(vec![1; 31]));
    assert_eq!(short, Err(BundleError::Entry("identity")));
    let path = |siblings: usize| {
        let siblings = vec![Value::Bytes(vec![0; 32]); siblings];
        let path = Value::Array(vec![0.into(), 1.into(), Value::Array(siblings)]);
        Value::Bytes(cbor::encode(&path))
    };
    assert!(with("nonce-path", |record| record[1] = path(32)).is_ok());
    let long = with("nonce-path", |record| record[1] = path(33));
    assert_eq!(long, Err(BundleError::Entry("nonce-path")));
}

#[test]
fn one_tee_does_not_bring_the_entries_of_another() {
    let mut entries = cbor::decode(&tdx_bundle().to_cbor(), MAX_BUNDLE_BYTES)
        .and_then(|value| value.into_map().ok())
        .unwrap();
    let vek = Value::Array(vec!["application/pkix-cert".into(), Value::Bytes(vec![2])]);
    entries.push(("vek".into(), vek));
    entries.sort_by_key(|(key, _)| cbor::encode(key));
    let error = EvidenceBundle::from_cbor(&cbor::encode(&Value::Map(entries)));
    assert_eq!(error, Err(BundleError::UnknownEntry));
}

#[test]
fn malformed_devices_are_refused() {
    let device = |report: usize, certificates: usize| {
        let chain = vec![Value::Bytes(vec![1]); certificates];
        Value::Array(vec![Value::Bytes(vec![1; report]), Value::Array(chain)])
    };
    let devices = |device: Value, count: usize| {
        let bytes = cbor::encode(&Value::Array(vec![device; count]));
        with("devices", |record| record[1] = Value::Bytes(bytes))
    };
    assert!(devices(device(1, 8), 32).is_ok());
    for (device, count) in [
        (device(1, 1), 0),
        (device(1, 1), 33),
        (device(0, 1), 1),
        (device(1, 0), 1),
        (device(1, 9), 1),
        (Value::Bytes(vec![1]), 1),
    ] {
        assert_eq!(devices(device, count), Err(BundleError::Entry("devices")));
    }
}

/// R3.1.
#[test]
fn unknown_entries_are_refused() {
    let error = mutated(|entries| entries.push(("gpu".into(), Value::Null))).unwrap_err();
    assert_eq!(
        (error, error.code()),
        (BundleError::UnknownEntry, "bundle.unknown_entry")
    );
}

proptest! {
    #[test]
    fn any_bundle_survives_the_wire(
        report in prop::collection::vec(any::<u8>(), 1..1300),
        chain in prop::collection::vec(prop::collection::vec(any::<u8>(), 0..50), 0..4),
        index in any::<u64>(),
        keys in prop::option::of(prop::collection::vec(any::<u8>(), 1..50)),
    ) {
        let mut bundle = bundle();
        bundle.cpu = CpuEvidence::Snp(SnpEvidence { report, chain, ..snp() });
        bundle.nonce_path = Some(NoncePath { index, size: index, siblings: vec![[9; 32]; 3] });
        bundle.key_configs = keys;
        prop_assert_eq!(EvidenceBundle::from_cbor(&bundle.to_cbor()), Ok(bundle));
    }

    #[test]
    fn a_damaged_bundle_never_panics(at in any::<usize>(), bit in 0..8_u8) {
        let mut bytes = bundle().to_cbor();
        let at = at % bytes.len();
        bytes[at] ^= 1 << bit;
        if let Ok(parsed) = EvidenceBundle::from_cbor(&bytes) {
            prop_assert_eq!(parsed.to_cbor(), bytes);
        }
    }
}
