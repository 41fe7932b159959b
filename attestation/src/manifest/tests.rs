use super::{Arithmetic, GpuCode, GpuKernels, Manifest, ManifestError, SelfTest};
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
        gpu: None,
    }
}

fn gpu_code() -> GpuCode {
    GpuCode {
        kernels: GpuKernels {
            cubins_digest: [8; 32],
            arithmetic: Arithmetic::Exact,
        },
        device: "cuda".into(),
        architecture: "sm_90a".into(),
        driver: "580.95.05".into(),
        cuda: "13.0".into(),
        libraries: [("cublaslt".to_owned(), "13.1.0.3".to_owned())].into(),
        self_test: SelfTest::Passed([9; 32]),
    }
}

fn with_gpu(change: impl FnOnce(&mut GpuCode)) -> Manifest {
    let mut code = gpu_code();
    change(&mut code);
    Manifest {
        gpu: Some(code),
        ..manifest()
    }
}

/// The manifest of a node with GPUs, whose map `gpu` is changed.
fn mutated_gpu(change: impl FnOnce(&mut Entries)) -> Result<Manifest, ManifestError> {
    mutated(|entries| {
        let mut gpu = gpu_code().to_value().into_map().unwrap();
        change(&mut gpu);
        entries.push(("gpu".into(), Value::Map(gpu)));
    })
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
    let with_gpus = [
        with_gpu(|_| ()),
        with_gpu(|gpu| gpu.libraries.clear()),
        with_gpu(|gpu| gpu.self_test = SelfTest::Absent),
        with_gpu(|gpu| gpu.self_test = SelfTest::Failed([1; 32])),
        with_gpu(|gpu| gpu.kernels.arithmetic = Arithmetic::Fast),
    ];
    let all = with_gpus.into_iter().chain([manifest(), with_aibom]);
    for manifest in all {
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

/// What a CPU's node says has not changed.
#[test]
fn a_manifest_without_gpus_has_no_key_for_them() {
    let bytes = manifest().to_cbor();
    assert_eq!(bytes.first(), Some(&(0xa0 + 14)));
    assert_eq!(mutated(|_| ()), Ok(manifest()));
}

/// R4.3.
#[test]
fn every_key_of_the_gpus_but_the_libraries_is_required() {
    assert!(mutated_gpu(|_| ()).is_ok());
    for (key, _) in gpu_code().to_value().into_map().unwrap() {
        let result = mutated_gpu(|entries| entries.retain(|(k, _)| *k != key));
        let is_optional = key.as_text() == Some("libraries");
        assert_eq!(result.is_ok(), is_optional, "{key:?}");
    }
}

#[test]
fn a_test_that_was_not_made_has_no_answers() {
    let without = mutated_gpu(|entries| {
        entries.retain(|(k, _)| k.as_text() != Some("self-test-digest"));
        set(entries, "self-test", "absent".into());
    });
    let gpu = without.unwrap().gpu.unwrap();
    assert_eq!(gpu.self_test, SelfTest::Absent);
    let with = mutated_gpu(|entries| set(entries, "self-test", "absent".into()));
    assert_eq!(with, Err(ManifestError::Malformed));
}

#[test]
fn a_wrong_field_of_the_gpus_is_malformed() {
    let library = |name: &str, version: Value| Value::Map(vec![(name.into(), version)]);
    let many = (0..17).map(|n| (Value::from(format!("l{n:02}")), "1".into()));
    let faults: Vec<(&str, Value)> = vec![
        ("extra", 1.into()),
        ("cubins-digest", Value::Bytes(vec![1; 31])),
        ("cubins-digest", "x".into()),
        ("arithmetic", "Exact".into()),
        ("arithmetic", "".into()),
        ("device", "".into()),
        ("architecture", 90.into()),
        ("driver", "d".repeat(1025).into()),
        ("cuda", Value::Null),
        ("libraries", Value::Map(Vec::new())),
        ("libraries", library("", "1".into())),
        ("libraries", library("cublaslt", "".into())),
        ("libraries", library("cublaslt", 13.into())),
        ("libraries", Value::Map(many.collect())),
        ("self-test", "unknown".into()),
        ("self-test", true.into()),
        ("self-test-digest", Value::Bytes(vec![1; 33])),
    ];
    for (key, value) in faults {
        let result = mutated_gpu(|entries| {
            entries.retain(|(k, _)| k.as_text() != Some(key));
            entries.push((key.into(), value.clone()));
        });
        assert_eq!(result, Err(ManifestError::Malformed), "{key}: {value:?}");
    }
    let no_map = mutated(|entries| entries.push(("gpu".into(), Value::Null)));
    assert_eq!(no_map, Err(ManifestError::Malformed));
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
    fn a_damaged_manifest_never_panics(at in 0_usize..900, bit in 0..8_u8) {
        let mut bytes = with_gpu(|_| ()).to_cbor();
        let at = at % bytes.len();
        bytes[at] ^= 1 << bit;
        if let Ok(parsed) = Manifest::from_cbor(&bytes) {
            prop_assert_eq!(parsed.to_cbor(), bytes);
        }
    }
}
