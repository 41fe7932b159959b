//! Runs the shipped binary with a bare environment.

#![allow(
    dead_code,
    reason = "every test binary uses another part of this module"
)]
#![allow(
    clippy::disallowed_methods,
    reason = "tests find their evidence by a variable"
)]

use std::{
    env,
    io::Write,
    path::{Path, PathBuf},
    process::{Command, Stdio},
};

/// How one run ended.
#[derive(Debug)]
pub(crate) struct Run {
    pub(crate) status: i32,
    pub(crate) stdout: String,
    pub(crate) stderr: String,
}

impl Run {
    pub(crate) fn json(&self) -> serde_json::Value {
        serde_json::from_str(&self.stdout).expect("standard output is one JSON document")
    }

    pub(crate) fn last_line(&self) -> &str {
        self.stdout.lines().last().unwrap_or_default()
    }
}

/// The command, without arguments; its state goes below `home`.
pub(crate) fn command(home: &Path) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_narthex"));
    command.env_clear().env("HOME", home).stdin(Stdio::null());
    command
}

/// Runs it with `arguments` in `folder`.
pub(crate) fn narthex<S: AsRef<str>>(folder: &Path, arguments: &[S]) -> Run {
    let mut command = command(folder);
    command.args(arguments.iter().map(AsRef::as_ref));
    run(command.current_dir(folder))
}

pub(crate) fn run(command: &mut Command) -> Run {
    let output = command.output().unwrap();
    Run {
        status: output.status.code().expect("it is not killed"),
        stdout: String::from_utf8(output.stdout).unwrap(),
        stderr: String::from_utf8(output.stderr).unwrap(),
    }
}

/// Runs it with `input` on standard input.
pub(crate) fn run_with_input(command: &mut Command, input: &[u8]) -> Run {
    let mut child = command
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    child.stdin.take().unwrap().write_all(input).unwrap();
    let output = child.wait_with_output().unwrap();
    Run {
        status: output.status.code().expect("it is not killed"),
        stdout: String::from_utf8(output.stdout).unwrap(),
        stderr: String::from_utf8(output.stderr).unwrap(),
    }
}

/// The folder of real evidence, if this machine has it.
pub(crate) fn vectors() -> Option<PathBuf> {
    let folder = PathBuf::from(env::var_os("NARTHEX_VECTORS")?);
    assert!(
        folder.is_dir(),
        "NARTHEX_VECTORS names no folder: {folder:?}"
    );
    Some(folder)
}

/// The evidence that the package of crate `sev` ships: report_milan.hex, vcek_milan.der and others.
pub(crate) fn sev_evidence() -> PathBuf {
    package("sev").join("tests/certs_data")
}

/// The evidence that the package of crate `dcap-qvl` ships: tdx_quote, tdx_quote_collateral.json and others.
pub(crate) fn dcap_qvl_samples() -> PathBuf {
    package("dcap-qvl").join("sample")
}

fn package(name: &str) -> PathBuf {
    let output = Command::new(env!("CARGO"))
        .args(["metadata", "--format-version", "1", "--offline", "--locked"])
        // Packages of other platforms need not have been fetched.
        .args(["--filter-platform", "host-tuple"])
        .current_dir(env!("CARGO_MANIFEST_DIR"))
        .output()
        .unwrap();
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "cargo metadata failed: {said}");
    let metadata: serde_json::Value = serde_json::from_slice(&output.stdout).unwrap();
    let packages = metadata["packages"].as_array().unwrap();
    let found = packages.iter().find(|package| package["name"] == name);
    let manifest = Path::new(found.unwrap()["manifest_path"].as_str().unwrap());
    manifest.parent().unwrap().to_path_buf()
}
