//! Manifest, cubins and sources belong together: an edited kernel without rebuilt cubins fails here, without a compiler.

use std::{collections::BTreeMap, fs, path::Path};

use super::*;

fn hex(bytes: impl AsRef<[u8]>) -> String {
    bytes
        .as_ref()
        .iter()
        .map(|byte| format!("{byte:02x}"))
        .collect()
}

fn manifest() -> toml::Table {
    MANIFEST.parse().unwrap()
}

fn tables() -> Vec<toml::Value> {
    manifest()["cubin"].as_array().unwrap().clone()
}

#[test]
fn the_manifest_names_these_cubins() {
    let tables = tables();
    assert_eq!(tables.len(), CUBINS.len());
    for (table, cubin) in tables.iter().zip(&CUBINS) {
        assert_eq!(table["architecture"].as_str(), Some(cubin.architecture()));
        assert_eq!(table["sha256"].as_str(), Some(&*hex(cubin.digest())));
        assert_eq!(
            table["bytes"].as_integer(),
            Some(cubin.bytes().len() as i64)
        );
    }
}

#[test]
fn the_cubins_were_built_of_these_sources() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("cuda");
    let mut sources = BTreeMap::new();
    for entry in folder.read_dir().unwrap() {
        let path = entry.unwrap().path();
        if path.extension().is_some_and(|it| it == "cu" || it == "cuh") {
            let name = path.file_name().unwrap().to_str().unwrap().to_owned();
            sources.insert(name, fs::read(path).unwrap());
        }
    }
    let mut hasher = Sha256::new();
    let fields = sources.iter();
    for field in fields.flat_map(|(name, text)| [name.as_bytes(), text]) {
        hasher.update((field.len() as u64).to_le_bytes());
        hasher.update(field);
    }
    let manifest = manifest();
    let built_of = manifest["sources_sha256"].as_str();
    let why = "kernels/cuda was edited: run scripts/cubins";
    assert_eq!(built_of, Some(&*hex(hasher.finalize())), "{why}");
}

#[test]
fn the_compiler_is_the_pinned_one() {
    let pinned = include_str!("../../cuda/toolchain.txt");
    let manifest = manifest();
    let toolchain = manifest["toolchain"].as_table().unwrap();
    assert_eq!(pinned.matches("==").count(), toolchain.len());
    for (package, hashes) in toolchain {
        let (_, rest) = pinned.split_once(package).unwrap();
        let named: Vec<&str> = rest.split("--hash=sha256:").skip(1).take(2).collect();
        let hashes = hashes.as_array().unwrap();
        assert_eq!(hashes.len(), named.len());
        for (hash, named) in hashes.iter().zip(named) {
            assert!(named.starts_with(hash.as_str().unwrap()), "{package}");
        }
    }
}

#[test]
fn every_cubin_holds_every_kernel_and_none_spills() {
    for (table, cubin) in tables().iter().zip(&CUBINS) {
        let kernels = table["kernels"].as_table().unwrap();
        assert!(entry_points().eq(kernels.keys().map(String::as_str)));
        for (name, used) in kernels {
            let section = format!("\0.text.{name}\0");
            let mut windows = cubin.bytes.windows(section.len());
            assert!(windows.any(|window| window == section.as_bytes()), "{name}");
            assert_eq!(used["spill_bytes"].as_integer(), Some(0), "{name}");
            // A thread has 255 registers, a block 48 KiB of static shared memory.
            assert!(used["registers"].as_integer().unwrap() <= 255, "{name}");
            assert!(used["shared_bytes"].as_integer().unwrap() <= 48 << 10);
        }
    }
}

#[test]
fn a_device_gets_code_for_its_capability() {
    let name = |major, minor| for_capability(major, minor).map(Cubin::architecture);
    assert_eq!(
        [(8, 0), (8, 6), (8, 9)].map(|(i, j)| name(i, j)),
        [Some("sm_80"); 3]
    );
    assert_eq!(name(9, 0), Some("sm_90a"));
    assert_eq!(name(10, 0), Some("sm_100a"));
    let none = [(7, 5), (9, 1), (10, 3), (12, 0), (0, 0), (-1, 0), (8, -1)];
    assert!(
        none.iter()
            .all(|&(major, minor)| name(major, minor).is_none())
    );
}

#[test]
fn images_are_aligned_elf_files() {
    for cubin in all() {
        assert!(cubin.bytes().starts_with(b"\x7fELF"));
        assert_eq!(cubin.bytes().as_ptr().addr() % 16, 0);
    }
}

#[test]
fn the_digest_covers_names_and_bytes() {
    let mut hasher = Sha256::new();
    let mut fields = vec![b"narthex/1/cubins".to_vec()];
    for cubin in all() {
        fields.push(cubin.architecture().as_bytes().to_vec());
        fields.push(cubin.bytes().to_vec());
    }
    for field in fields {
        hasher.update((field.len() as u64).to_le_bytes());
        hasher.update(field);
    }
    assert_eq!(digest()[..], hasher.finalize()[..]);
}
