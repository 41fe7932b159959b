//! The shipped binary: what it says of its configuration, and that it does not start where there is no TEE.
#![allow(missing_docs, clippy::unwrap_used, reason = "tests")]

use attestation::{UnixTime, snp::Product};
use base64::prelude::{BASE64_STANDARD, Engine};
use std::{
    fs,
    path::Path,
    process::{Command, Output},
};
use tee_sim::{PolicySigner, PolicyText, Report};
use tempfile::TempDir;

/// Far enough for any clock that runs this.
const END: UnixTime = UnixTime(4_000_000_000);

/// A folder with a configuration and all that it names; the model is only a file.
fn installed(expires: UnixTime) -> TempDir {
    let folder = TempDir::new().unwrap();
    let put = |name: &str, bytes: &[u8]| fs::write(folder.path().join(name), bytes).unwrap();
    let signer = PolicySigner::generate();
    let text = PolicyText::admitting(&Report::of(Product::Genoa), UnixTime(1), expires);
    put(
        "policy.json",
        signer.signed_policy(&text.to_toml()).to_json().as_bytes(),
    );
    put("key.pem", public_pem(&signer.public_key()).as_bytes());
    put("model.gguf", b"");
    let config = r#"
        node = "node-1"
        listen = "127.0.0.1:0"
        model = "model.gguf"
        [policy]
        source = "policy.json"
        keys = ["key.pem"]
        [evidence]
        tsm_root = "no-such-folder"
    "#;
    put("runtime.toml", config.as_bytes());
    folder
}

/// RFC 8410: the fixed prefix of an Ed25519 SubjectPublicKeyInfo, then the key.
fn public_pem(key: &[u8; 32]) -> String {
    let prefix = "302a300506032b6570032100";
    let der = [hex::decode(prefix).unwrap(), key.to_vec()].concat();
    let base64 = BASE64_STANDARD.encode(der);
    format!("-----BEGIN PUBLIC KEY-----\n{base64}\n-----END PUBLIC KEY-----\n")
}

fn run(folder: &Path, more: &[&str]) -> Output {
    let mut command = Command::new(env!("CARGO_BIN_EXE_narthex-runtime"));
    command
        .arg("--config")
        .arg(folder.join("runtime.toml"))
        .args(more)
        .output()
        .unwrap()
}

fn log(output: &Output) -> String {
    String::from_utf8(output.stderr.clone()).unwrap()
}

#[test]
fn no_tee_no_start() {
    if Path::new("/dev/sev-guest").exists() {
        return;
    }
    let output = run(installed(END).path(), &[]);
    assert_eq!(output.status.code(), Some(1));
    assert!(
        log(&output).contains("evidence.unavailable"),
        "{}",
        log(&output)
    );
}

#[test]
fn a_good_configuration_is_printed_with_its_defaults() {
    let output = run(installed(END).path(), &["--check-config"]);
    assert_eq!(output.status.code(), Some(0), "{}", log(&output));
    let text = String::from_utf8(output.stdout).unwrap();
    assert!(text.contains("key_window_seconds = 1200"), "{text}");
}

#[test]
fn mistakes_end_with_status_2() {
    let folder = installed(END);
    let config = folder.path().join("runtime.toml");
    let good = fs::read_to_string(&config).unwrap();
    for (bad, code) in [
        (good.replace("node-1", "Node"), "config.mistakes"),
        (good.replace("node =", "node"), "config.syntax"),
        (
            good.replace("model.gguf", "absent.gguf"),
            "provision.file.read",
        ),
        (
            good.replace("key.pem", "policy.json"),
            "provision.public_key",
        ),
        (
            good.replace("[evidence]", "[evidence]\nvek = \"key.pem\""),
            "vek.not_der",
        ),
    ] {
        fs::write(&config, bad).unwrap();
        let output = run(folder.path(), &["--check-config"]);
        assert_eq!(output.status.code(), Some(2), "{code}");
        assert!(log(&output).contains(code), "{}", log(&output));
    }
}

#[test]
fn a_policy_of_another_key_or_time() {
    let folder = installed(END);
    let other = installed(END);
    fs::copy(other.path().join("key.pem"), folder.path().join("key.pem")).unwrap();
    let output = run(folder.path(), &["--check-config"]);
    assert_eq!(output.status.code(), Some(2));
    assert!(log(&output).contains("policy."), "{}", log(&output));
    let output = run(installed(UnixTime(1000)).path(), &["--check-config"]);
    assert_eq!(output.status.code(), Some(2));
    assert!(
        log(&output).contains("config.policy_not_in_force"),
        "{}",
        log(&output)
    );
}

#[test]
fn a_gpu_that_is_not_asked_for_evidence_is_a_mistake_of_the_configuration() {
    let folder = installed(END);
    let config = folder.path().join("runtime.toml");
    let good = fs::read_to_string(&config).unwrap();
    let engine = "[engine]\ndevice = \"cuda\"\n[evidence]";
    fs::write(&config, good.replace("[evidence]", engine)).unwrap();
    for arguments in [&["--check-config"][..], &[]] {
        let output = run(folder.path(), arguments);
        let told = log(&output);
        assert_eq!(output.status.code(), Some(2), "{told}");
        assert!(told.contains("evidence.gpus must be"), "{told}");
    }
}
