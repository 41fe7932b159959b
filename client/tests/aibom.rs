//! `narthex aibom` on the real model: what it lists, that it is the same every time, and what it refuses.

use crate::narthex::narthex;
use engine::describe::cubin;
use serde_json::Value;
use std::{
    env, fs,
    os::unix::fs::symlink,
    path::{Path, PathBuf},
};
use tempfile::TempDir;

#[expect(
    clippy::disallowed_methods,
    reason = "tests find the model by a variable"
)]
fn model() -> PathBuf {
    let named = env::var_os("NARTHEX_MODEL");
    named
        .expect("NARTHEX_MODEL names the model: run ./scripts/test, which fetches it")
        .into()
}

/// A directory with the model and its licence.
fn directory() -> TempDir {
    let folder = TempDir::new().unwrap();
    symlink(model(), folder.path().join("weights.gguf")).unwrap();
    fs::write(folder.path().join("LICENSE"), "Apache License 2.0\n").unwrap();
    folder
}

fn bill(folder: &Path, arguments: &[&str]) -> (Value, String) {
    let path = folder.to_str().unwrap();
    let run = narthex(folder, &[&["aibom", path], arguments].concat());
    assert_eq!(run.status, 0, "{}", run.stderr);
    (run.json(), run.stderr)
}

fn component<'a>(bill: &'a Value, reference: &str) -> &'a Value {
    let components = bill["components"].as_array().unwrap();
    let found = components.iter().find(|one| one["bom-ref"] == reference);
    found.unwrap_or_else(|| panic!("no {reference} in {bill}"))
}

#[test]
fn lists_the_model_and_everything_beside_it() {
    let folder = directory();
    let digest = "ab".repeat(32);
    let base = format!("SmolLM2-135M@{digest}");
    let (bill, told) = bill(
        folder.path(),
        &[
            "--base-model",
            &base,
            "--dataset",
            "smoltalk",
            "--supplier",
            "A bank",
        ],
    );
    let model = &bill["metadata"]["component"];
    assert_eq!(bill["specVersion"], "1.6");
    assert_eq!(model["type"], "machine-learning-model");
    assert_eq!(model["supplier"]["name"], "A bank");
    assert_eq!(model["licenses"][0]["license"]["id"], "Apache-2.0");
    assert_eq!(
        model["pedigree"]["ancestors"][0]["hashes"][0]["content"],
        digest
    );
    assert_eq!(
        model["modelCard"]["modelParameters"]["datasets"][0]["name"],
        "smoltalk"
    );
    let weights = component(&bill, "weights");
    assert_eq!(weights["hashes"], model["hashes"]);
    let licence = component(&bill, "file:LICENSE");
    let expected = hex::encode(attestation::crypto::sha256(b"Apache License 2.0\n"));
    assert_eq!(licence["hashes"][0]["content"], expected);
    for part in ["tokenizer", "chat-template", "engine", "kernels"] {
        component(&bill, part);
    }
    assert!(told.contains("SHA-256 of the bill of materials"), "{told}");
}

#[test]
fn the_code_for_gpus_has_its_digests_and_its_compiler() {
    let folder = directory();
    let (bill, _) = bill(folder.path(), &[]);
    let cubins = component(&bill, "cubins");
    let sha256 = |digest: [u8; 32]| serde_json::json!(hex::encode(digest));
    assert_eq!(cubins["hashes"][0]["content"], sha256(cubin::digest()));
    let files = cubins["components"].as_array().unwrap();
    assert_eq!(files.len(), cubin::all().len());
    for (file, cubin) in files.iter().zip(cubin::all()) {
        assert_eq!(file["name"], format!("{}.cubin", cubin.architecture()));
        assert_eq!(file["hashes"][0]["content"], sha256(cubin.digest()));
    }
    let properties = cubins["properties"].as_array().unwrap();
    let named = |start: &str| {
        let names = properties.iter().map(|one| one["name"].as_str().unwrap());
        names.filter(|name| name.starts_with(start)).count()
    };
    for name in [
        "narthex:compiler",
        "narthex:flags",
        "narthex:sources_sha256",
    ] {
        assert_eq!(named(name), 1, "{name}");
    }
    assert!(named("narthex:toolchain:nvidia-cuda-nvcc==") >= 1);
}

#[test]
fn the_same_model_and_words_give_the_same_bytes_and_other_files_do_not() {
    let folder = directory();
    let (first, _) = bill(folder.path(), &[]);
    let (second, _) = bill(folder.path(), &[]);
    assert_eq!(first, second);
    fs::write(folder.path().join("LICENSE"), "Apache License 2.1\n").unwrap();
    let (third, _) = bill(folder.path(), &[]);
    assert_ne!(first, third);
}

#[test]
fn the_engine_has_the_digest_of_the_executable_that_is_named() {
    let folder = directory();
    let executable = folder.path().join("LICENSE");
    let (named, _) = bill(folder.path(), &["--runtime", executable.to_str().unwrap()]);
    let (unnamed, _) = bill(folder.path(), &[]);
    let expected = hex::encode(attestation::crypto::sha256(b"Apache License 2.0\n"));
    assert_eq!(
        component(&named, "engine")["hashes"][0]["content"],
        expected
    );
    assert!(component(&unnamed, "engine").get("hashes").is_none());
}

fn refused(folder: &Path, arguments: &[&str]) -> (i32, String) {
    let path = folder.to_str().unwrap();
    let run = narthex(
        folder.parent().unwrap(),
        &[&["aibom", path], arguments].concat(),
    );
    assert!(run.stdout.is_empty(), "{}", run.stdout);
    (run.status, run.stderr)
}

#[test]
fn what_is_no_model_directory_is_refused() {
    let folder = TempDir::new().unwrap();
    let (status, told) = refused(folder.path(), &[]);
    assert_eq!(status, 30);
    assert!(told.contains("aibom.weights"), "{told}");

    fs::write(folder.path().join("one.gguf"), "GGUF").unwrap();
    let (status, told) = refused(folder.path(), &[]);
    assert_eq!(status, 30);
    assert!(told.contains("gguf."), "{told}");

    fs::write(folder.path().join("two.gguf"), "GGUF").unwrap();
    let (status, told) = refused(folder.path(), &[]);
    assert_eq!(status, 30);
    assert!(told.contains("aibom.weights"), "{told}");

    fs::create_dir(folder.path().join("sub")).unwrap();
    let (status, told) = refused(folder.path(), &[]);
    assert_eq!(status, 30);
    assert!(told.contains("aibom.not_a_file"), "{told}");
}

#[test]
fn lineage_with_half_a_digest_is_refused() {
    let folder = directory();
    let (status, told) = refused(folder.path(), &["--base-model", "x@abcd"]);
    assert_eq!(status, 2);
    assert!(told.contains("aibom.lineage"), "{told}");
}
