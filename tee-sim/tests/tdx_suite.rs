//! The TDX cases of the conformance suite as another implementation (crate `dcap-qvl`) judges them: it agrees, or the difference is known.

use attestation::UnixTime;
use dcap_qvl::{QuoteCollateralV3, configs::RustCryptoConfig, verify::QuoteVerifier};
use serde_json::Value;
use std::{
    fs,
    path::{Path, PathBuf},
};

/// Refused by the suite and accepted by `dcap-qvl`, with what it does not look at, or how.
#[rustfmt::skip]
const LAXER: &[(&str, &str)] = &[
    ("certification-data-type-5-around-the-qe-report", "the outer type"),
    ("pck-certificate-with-an-sgx-type-that-is-not-known", "SGX type is for its policies"),
    ("tcb-info-with-a-tcb-type-that-is-not-known", "tcbType"),
    ("tcb-info-with-two-identities-of-one-module", "takes the first"),
    ("event-log-cut-short", "knows no event logs"),
    ("event-log-without-its-header", "knows no event logs"),
    ("event-log-of-another-boot", "knows no event logs"),
    ("event-log-with-an-event-too-many", "knows no event logs"),
    ("tcb-signing-certificate-of-another-name", "names of leaves"),
    ("pck-certificate-of-another-name", "names of leaves"),
    ("pck-ca-of-another-name", "names of authorities"),
    ("tcb-signing-certificate-that-may-not-sign", "key usage of leaves"),
    ("pck-certificate-that-may-not-sign", "key usage of leaves"),
    ("root-expired", "dates of the anchor"),
    ("another-root-in-the-chain-of-tcb-info", "certificates beside the path"),
    ("pck-revocation-list-of-the-future", "thisUpdate"),
    ("a-byte-that-is-not-zero-behind-the-quote", "what follows the quote"),
    ("tcb-info-of-another-pce", "pceId"),
];

/// Accepted by the suite and refused by `dcap-qvl`, with what it judges beyond authenticity.
const STRICTER: &[(&str, &str)] = &[("td-under-debug", "refuses every TD under debug")];

fn cases() -> Vec<PathBuf> {
    let suite = Path::new(env!("CARGO_MANIFEST_DIR")).join("../attestation/testdata/tdx");
    let folders = fs::read_dir(suite)
        .unwrap()
        .map(|entry| entry.unwrap().path());
    let mut cases: Vec<_> = folders
        .filter(|folder| folder.join("case.json").exists())
        .collect();
    cases.sort();
    cases
}

/// The status that the oracle gives, or why it refuses.
fn judge(folder: &Path, case: &Value) -> Result<String, String> {
    let file = |key: &str| {
        let path = case["inputs"][key].as_str().ok_or(format!("no {key}"))?;
        fs::read(folder.join(path)).map_err(|error| error.to_string())
    };
    let at = UnixTime::from_rfc3339(case["at"].as_str().unwrap()).unwrap();
    let collateral: QuoteCollateralV3 =
        serde_json::from_slice(&file("collateral")?).map_err(|error| error.to_string())?;
    QuoteVerifier::<RustCryptoConfig>::new_with_config(file("root")?)
        .verify(&file("quote")?, &collateral, at.0)
        .map(|verified| verified.status)
        .map_err(|error| format!("{error:#}"))
}

#[test]
fn the_oracle_agrees() {
    let mut differences = Vec::new();
    for folder in cases() {
        let name = folder.file_name().unwrap().to_string_lossy().into_owned();
        let case: Value =
            serde_json::from_slice(&fs::read(folder.join("case.json")).unwrap()).unwrap();
        let accepts = case["expect"]["verdict"] == "accept";
        let known = if accepts { STRICTER } else { LAXER };
        let is_known = known.iter().any(|(title, _)| name.ends_with(title));
        let judged = judge(&folder, &case);
        let status = case["expect"]["claims"]["tcb_status"].as_str();
        let agrees = match &judged {
            Ok(told) => accepts && status.is_none_or(|status| status == told),
            Err(_) => !accepts,
        };
        if agrees == is_known {
            differences.push(format!("{name}: {judged:?}"));
        }
    }
    assert!(differences.is_empty(), "{}", differences.join("\n"));
}
