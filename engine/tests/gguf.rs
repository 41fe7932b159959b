//! GGUF files read, and refused for every reason there is.

use crate::gguf_file::*;
use engine::gguf::{Gguf, GgufError, TensorType};
use proptest::prelude::*;
use sha2::{Digest, Sha256};

/// A small file with a value of each kind and two tensors.
fn good() -> File {
    let mut file = File::new();
    file.set("text", str_value("Grüße"))
        .set("number", u32_value(7))
        .set("negative", value(I64, &(-5_i64).to_le_bytes()))
        .set("wide", value(I64, &(1_i64 << 40).to_le_bytes()))
        .set("fraction", f32_value(0.5))
        .set("truth", value(BOOL, &[1]))
        .set("texts", array(STR, 2, &[str("a"), str("")].concat()))
        .set("numbers", array(I32, 2, &[[1, 0, 0, 0], [255; 4]].concat()))
        .set("fractions", array(F32, 1, &2.5_f32.to_le_bytes()));
    file.tensor("matrix", TENSOR_Q4_1, &[64, 3, 2]).fill(1);
    file.tensor("vector", TENSOR_F32, &[5]).fill(2);
    file
}

fn error(file: &File) -> &'static str {
    open(file.bytes())
}

fn open(bytes: Vec<u8>) -> &'static str {
    Gguf::from_bytes(bytes)
        .err()
        .map_or("", |error| error.code())
}

fn changed(change: impl FnOnce(&mut File)) -> &'static str {
    let mut file = good();
    change(&mut file);
    error(&file)
}

#[test]
fn values_are_read() {
    for version in [2, 3] {
        let gguf = Gguf::from_bytes(File { version, ..good() }.bytes()).unwrap();
        assert_eq!(gguf.str("text"), Ok("Grüße"));
        assert_eq!(gguf.u32("number"), Ok(7));
        assert_eq!(gguf.f32("fraction"), Ok(0.5));
        assert_eq!(gguf.bool("truth"), Ok(true));
        assert_eq!(gguf.strs("texts"), Ok(vec!["a", ""]));
        assert_eq!(gguf.i32s("numbers"), Ok(vec![1, -1]));
        assert_eq!(gguf.f32s("fractions"), Ok(vec![2.5]));
        assert!(gguf.has("text") && !gguf.has("no text"));
    }
}

#[test]
fn tensors_are_read() {
    let file = good();
    let gguf = Gguf::from_bytes(file.bytes()).unwrap();
    let matrix = gguf.tensor("matrix").unwrap();
    assert_eq!(
        (matrix.kind, matrix.columns, matrix.rows),
        (TensorType::Q4_1, 64, 6)
    );
    assert_eq!(matrix.bytes, file.tensors[0].bytes);
    assert_eq!(gguf.tensor("vector").unwrap().bytes, file.tensors[1].bytes);
    assert_eq!(
        gguf.tensor_names().collect::<Vec<_>>(),
        ["matrix", "vector"]
    );
}

#[test]
fn tensors_are_taken_once() {
    let file = good();
    let mut gguf = Gguf::from_bytes(file.bytes()).unwrap();
    let loose = gguf.take_tensors();
    assert_eq!(loose.names(), ["matrix", "vector"]);
    let matrix = loose.take("matrix").unwrap().unwrap();
    assert_eq!((matrix.columns, matrix.rows), (64, 6));
    assert_eq!(matrix.bytes, file.tensors[0].bytes);
    assert!(!loose.has("matrix") && loose.has("vector"));
    assert!(loose.take("matrix").is_none());
    let vector = loose.take("vector").unwrap().unwrap();
    assert_eq!(vector.bytes, file.tensors[1].bytes);
    assert_eq!(gguf.str("text"), Ok("Grüße"));
    assert!(gguf.tensor("matrix").is_err());
}

#[test]
fn tensors_that_overlap_are_refused() {
    let moved = |by| changed(|file| file.named("matrix").offset_error = by);
    assert_eq!(moved(0), "");
    assert_eq!(moved(32), "gguf.tensor_bounds");
}

#[test]
fn tensors_may_lie_in_any_order_and_apart() {
    let mut file = good();
    file.named("matrix").offset_error = 256;
    file.named("vector").offset_error = 0_u64.wrapping_sub(256);
    let mut bytes = file.bytes();
    let data = bytes.len() - 20 - 256;
    bytes.truncate(data);
    bytes.extend(&file.tensors[1].bytes);
    bytes.resize(data + 256, 7);
    bytes.extend(&file.tensors[0].bytes);
    let digest: [u8; 32] = Sha256::digest(&bytes).into();
    let gguf = Gguf::from_bytes(bytes).unwrap();
    assert_eq!(gguf.digest(), digest);
    for tensor in &file.tensors {
        assert_eq!(gguf.tensor(&tensor.name).unwrap().bytes, tensor.bytes);
    }
}

#[test]
fn headers_may_be_long() {
    // As long as what is read first, a little less, a little more, and several times as long.
    for bytes in [(4 << 20) - 200, 4 << 20, (4 << 20) + 40, 20 << 20] {
        let mut file = good();
        file.set("long", str_value(&"a".repeat(bytes)));
        let bytes = file.bytes();
        let digest: [u8; 32] = Sha256::digest(&bytes).into();
        let gguf = Gguf::from_bytes(bytes).unwrap();
        assert_eq!(gguf.digest(), digest);
        for tensor in &file.tensors {
            assert_eq!(gguf.tensor(&tensor.name).unwrap().bytes, tensor.bytes);
        }
    }
}

#[test]
fn the_digest_is_that_of_the_file() {
    let bytes = good().bytes();
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("model.gguf");
    std::fs::write(&path, &bytes).unwrap();
    let expected: [u8; 32] = Sha256::digest(&bytes).into();
    assert_eq!(Gguf::open(&path).unwrap().digest(), expected);
    assert_eq!(Gguf::from_bytes(bytes).unwrap().digest(), expected);
}

#[test]
fn another_alignment_is_followed() {
    let mut file = good();
    file.alignment = 64;
    file.set("general.alignment", u32_value(64));
    let gguf = Gguf::from_bytes(file.bytes()).unwrap();
    assert_eq!(gguf.tensor("vector").unwrap().bytes, file.tensors[1].bytes);
}

#[test]
fn files_that_cannot_be_read_are_refused() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("model.gguf");
    assert_eq!(Gguf::open(&path).err().unwrap().code(), "gguf.io");
    let file = std::fs::File::create(&path).unwrap();
    file.set_len((64 << 30) + 1).unwrap();
    assert_eq!(Gguf::open(&path).err().unwrap().code(), "gguf.too_large");
}

#[test]
fn bad_beginnings_are_refused() {
    assert_eq!(changed(|file| file.magic = *b"GGML"), "gguf.magic");
    for version in [0, 1, 4, 3_u32.swap_bytes()] {
        assert_eq!(changed(|file| file.version = version), "gguf.version");
    }
    for at in [8, 16] {
        let mut bytes = good().bytes();
        bytes[at..at + 8].copy_from_slice(&65_537_u64.to_le_bytes());
        assert_eq!(open(bytes), "gguf.count");
    }
}

#[test]
fn every_prefix_is_refused() {
    let bytes = good().bytes();
    for length in 0..bytes.len() {
        let code = open(bytes[..length].to_vec());
        assert!(
            matches!(code, "gguf.truncated" | "gguf.tensor_bounds"),
            "{length}: {code}"
        );
    }
}

#[test]
fn lengths_beyond_the_file_are_refused() {
    let huge = u64::MAX.to_le_bytes();
    let values = [
        value(STR, &huge),
        array(STR, u64::MAX, &[]),
        array(BOOL, u64::MAX, &[1]),
        array(I64, u64::MAX / 2, &[]),
        array(F32, 1 << 40, &[]),
    ];
    for bad in values {
        assert_eq!(
            changed(|file| {
                file.set("bad", bad);
            }),
            "gguf.truncated"
        );
    }
}

#[test]
fn bad_names_are_refused() {
    assert_eq!(
        changed(|file| {
            file.set("", u32_value(1));
        }),
        "gguf.name"
    );
    assert_eq!(
        changed(|file| {
            file.set(&"k".repeat(65_536), u32_value(1));
        }),
        "gguf.name"
    );
    assert_eq!(
        changed(|file| {
            file.set(&"k".repeat(65_535), u32_value(1));
        }),
        ""
    );
    assert_eq!(
        changed(|file| file.named("matrix").name = "m".repeat(65)),
        "gguf.name"
    );
    assert_eq!(
        changed(|file| file.named("matrix").name = "m".repeat(64)),
        ""
    );
}

#[test]
fn bad_values_are_refused() {
    let not_utf8 = [&1_u64.to_le_bytes()[..], &[0xff]].concat();
    let cases = [
        ("gguf.text", value(STR, &not_utf8)),
        ("gguf.text", array(STR, 1, &not_utf8)),
        ("gguf.value_type", value(13, &[0; 8])),
        ("gguf.value_type", array(ARRAY, 1, &array(U32, 0, &[]))),
        ("gguf.bool", value(BOOL, &[2])),
        ("gguf.bool", array(BOOL, 2, &[0, 2])),
    ];
    for (code, bad) in cases {
        assert_eq!(
            changed(|file| {
                file.set("bad", bad);
            }),
            code
        );
    }
    let twice = |file: &mut File| file.metadata.push(file.metadata[0].clone());
    assert_eq!(changed(twice), "gguf.duplicate_key");
}

#[test]
fn bad_alignments_are_refused() {
    let values = [
        u32_value(0),
        u32_value(4),
        u32_value(33),
        u32_value(1 << 17),
        str_value("32"),
    ];
    for bad in values {
        assert_eq!(
            changed(|file| {
                file.set("general.alignment", bad);
            }),
            "gguf.alignment"
        );
    }
}

#[test]
fn bad_tensors_are_refused() {
    let changed = |change: fn(&mut TensorEntry)| changed(|file| change(file.named("matrix")));
    assert_eq!(
        changed(|tensor| tensor.dimensions.clear()),
        "gguf.tensor_shape"
    );
    assert_eq!(
        changed(|tensor| tensor.dimensions = vec![64, 3, 2, 1, 1]),
        "gguf.tensor_shape"
    );
    assert_eq!(
        changed(|tensor| tensor.dimensions = vec![64, 0]),
        "gguf.tensor_shape"
    );
    assert_eq!(
        changed(|tensor| tensor.dimensions = vec![0, 6]),
        "gguf.tensor_shape"
    );
    assert_eq!(
        changed(|tensor| tensor.dimensions = vec![48, 8]),
        "gguf.tensor_shape"
    );
    assert_eq!(
        changed(|tensor| tensor.dimensions = vec![64, 1 << 32, 1 << 32]),
        "gguf.tensor_shape"
    );
    assert_eq!(
        changed(|tensor| tensor.dimensions = vec![1 << 32, 1 << 32]),
        "gguf.tensor_shape"
    );
    assert_eq!(
        changed(|tensor| tensor.dimensions = vec![1 << 31, 1 << 31]),
        "gguf.tensor_bounds"
    );
    assert_eq!(
        changed(|tensor| tensor.dimensions = vec![64, 60]),
        "gguf.tensor_bounds"
    );
    assert_eq!(changed(|tensor| tensor.kind = 99), "gguf.tensor_type");
    assert_eq!(
        changed(|tensor| tensor.offset_error = 16),
        "gguf.tensor_offset"
    );
    assert_eq!(
        changed(|tensor| tensor.offset_error = 1 << 20),
        "gguf.tensor_bounds"
    );
    assert_eq!(
        changed(|tensor| tensor.offset_error = u64::MAX - 31),
        "gguf.tensor_bounds"
    );
    assert_eq!(
        changed(|tensor| tensor.name = "vector".to_owned()),
        "gguf.duplicate_tensor"
    );
}

#[test]
fn matrices_of_every_type_are_measured() {
    for (kind, _) in MATRIX_TYPES {
        let mut file = File::new();
        file.tensor("matrix", kind, &[512, 3]);
        assert_eq!(open(file.bytes()), "", "{kind:?}");
        let mut short = file.clone();
        short.named("matrix").bytes.pop();
        assert_eq!(open(short.bytes()), "gguf.tensor_bounds", "{kind:?}");
        if kind.1 > 1 {
            file.named("matrix").dimensions = vec![512 + kind.1 as u64 / 2, 1];
            assert_eq!(open(file.bytes()), "gguf.tensor_shape", "{kind:?}");
        }
    }
}

#[test]
fn more_than_padding_at_the_end_is_refused() {
    let mut bytes = good().bytes();
    bytes.resize(bytes.len().next_multiple_of(32), 0);
    assert_eq!(open(bytes.clone()), "");
    bytes.push(0);
    assert_eq!(open(bytes), "gguf.trailing_bytes");
}

#[test]
fn wrong_questions_are_refused() {
    let gguf = Gguf::from_bytes(good().bytes()).unwrap();
    let code = |error: GgufError| error.code();
    assert_eq!(gguf.str("nothing").map_err(code), Err("gguf.missing_key"));
    assert_eq!(gguf.str("number").map_err(code), Err("gguf.wrong_type"));
    assert_eq!(gguf.str("texts").map_err(code), Err("gguf.wrong_type"));
    assert_eq!(gguf.strs("text").map_err(code), Err("gguf.wrong_type"));
    assert_eq!(gguf.u32("text").map_err(code), Err("gguf.wrong_type"));
    assert_eq!(gguf.u32("fraction").map_err(code), Err("gguf.wrong_type"));
    assert_eq!(gguf.f32("number").map_err(code), Err("gguf.wrong_type"));
    assert_eq!(gguf.bool("number").map_err(code), Err("gguf.wrong_type"));
    assert_eq!(gguf.f32s("numbers").map_err(code), Err("gguf.wrong_type"));
    assert_eq!(gguf.i32s("number").map_err(code), Err("gguf.wrong_type"));
    assert_eq!(gguf.u32("negative").map_err(code), Err("gguf.value_range"));
    assert_eq!(gguf.u32("wide").map_err(code), Err("gguf.value_range"));
    assert_eq!(
        gguf.tensor("nothing").err().map(code),
        Some("gguf.missing_tensor")
    );
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2_000))]

    /// Whatever the bytes are, reading ends with a value or an error; what was accepted can be read.
    #[test]
    fn changed_files_never_panic(
        changes in prop::collection::vec((0_usize..700, any::<u8>()), 1..6),
        cut in 0_usize..800,
    ) {
        let mut bytes = good().bytes();
        for (at, byte) in changes {
            if let Some(place) = bytes.get_mut(at) {
                *place = byte;
            }
        }
        bytes.truncate(cut.max(300));
        if let Ok(gguf) = Gguf::from_bytes(bytes) {
            for key in ["text", "number", "texts", "numbers", "fractions", "truth"] {
                let _ = (gguf.str(key), gguf.u32(key), gguf.bool(key), gguf.f32(key));
                let _ = (gguf.strs(key), gguf.i32s(key), gguf.f32s(key));
            }
            let names: Vec<&str> = gguf.tensor_names().collect();
            prop_assert!(names.into_iter().all(|name| gguf.tensor(name).is_ok()));
        }
    }
}
