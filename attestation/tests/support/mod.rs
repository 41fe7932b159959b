//! Genuine evidence for tests: the folder that `NARTHEX_VECTORS` names, and what the package of crate `sev` ships.

#![allow(
    dead_code,
    reason = "every test binary uses another part of this module"
)]
#![allow(
    clippy::disallowed_methods,
    reason = "tests find their evidence by a variable"
)]

use attestation::{
    UnixTime,
    roots::SnpRoots,
    snp::{self, SnpClaims, SnpError},
};
use std::{
    env, fs,
    path::{Path, PathBuf},
    process::Command,
};

/// A report with its endorsements.
#[derive(Clone, Debug)]
pub(crate) struct Genuine {
    pub(crate) report: Vec<u8>,
    pub(crate) vek: Vec<u8>,
    pub(crate) chain: Vec<Vec<u8>>,
    pub(crate) crls: Vec<Vec<u8>>,
    pub(crate) now: UnixTime,
}

impl Genuine {
    /// The Milan evidence of crate `sev`: version 2, valid in June 2026.
    pub(crate) fn of_sev_crate() -> Self {
        let folder = sev_package().join("tests/certs_data");
        Self {
            report: report_bytes(&folder.join("report_milan.hex")),
            vek: certificates(&folder.join("vcek_milan.der")).remove(0),
            chain: Vec::new(),
            crls: Vec::new(),
            now: at("2026-06-01T00:00:00Z"),
        }
    }

    pub(crate) fn verify(&self) -> Result<SnpClaims, SnpError> {
        let chain: Vec<&[u8]> = self.chain.iter().map(Vec::as_slice).collect();
        let crls: Vec<&[u8]> = self.crls.iter().map(Vec::as_slice).collect();
        let evidence = snp::Evidence {
            report: &self.report,
            vek: &self.vek,
            chain: &chain,
        };
        snp::verify(&evidence, &crls, &SnpRoots::vendor(), self.now)
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

/// Where cargo keeps the sources of crate `sev`.
pub(crate) fn sev_package() -> PathBuf {
    package("sev")
}

/// What the package of crate `dcap-qvl` ships: TDX quotes with their collateral.
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

pub(crate) fn at(rfc3339: &str) -> UnixTime {
    UnixTime::from_rfc3339(rfc3339).unwrap()
}

/// A report as raw bytes or as hex text.
pub(crate) fn report_bytes(path: &Path) -> Vec<u8> {
    let bytes = fs::read(path).unwrap();
    match std::str::from_utf8(&bytes) {
        Ok(text) if path.extension().is_some_and(|suffix| suffix == "hex") => {
            hex::decode(text.trim()).unwrap()
        }
        _ => bytes,
    }
}

/// One certificate in DER, or any number in PEM.
pub(crate) fn certificates(path: &Path) -> Vec<Vec<u8>> {
    let bytes = fs::read(path).unwrap();
    if !bytes.starts_with(b"-----BEGIN") {
        return vec![bytes];
    }
    let text = String::from_utf8(bytes).unwrap();
    let blocks = text.split("-----BEGIN CERTIFICATE-----").skip(1);
    let base64 = |block: &str| -> String {
        let end = block.find("-----END").unwrap();
        block[..end].split_whitespace().collect()
    };
    let engine = base64::engine::general_purpose::STANDARD;
    blocks
        .map(|block| base64::Engine::decode(&engine, base64(block)).unwrap())
        .collect()
}
