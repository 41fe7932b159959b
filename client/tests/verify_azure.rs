//! `narthex verify azure`: exit statuses on real evidence, and the output contract.
#![allow(
    clippy::print_stdout,
    reason = "tests fail by panicking, and say when they had nothing to look at"
)]

use crate::narthex::{Run, narthex, vectors};
use std::{fs, path::Path};

const AT: &str = "2026-06-01T00:00:00Z";
/// "challenge".
const NONCE: &str = "6368616c6c656e6765";

/// The command in the folder of real evidence, which no package ships.
fn azure(arguments: &[&str]) -> Option<Run> {
    let Some(folder) = vectors() else {
        println!("nothing to look at: NARTHEX_VECTORS is not set");
        return None;
    };
    let mut all = vec!["verify", "azure", "--at", AT];
    all.extend(arguments);
    Some(narthex(&folder.join("trustee"), &all))
}

#[test]
fn evidence_of_each_version_is_accepted() {
    for (file, nonce) in [
        ("az-snp-vtpm/evidence-v0.json", Some(NONCE)),
        ("az-snp-vtpm/evidence-v1.json", Some(NONCE)),
        ("az-snp-vtpm/evidence-v2.json", None),
        ("az-snp-vtpm/evidence-genoa.json", None),
    ] {
        let mut arguments = vec!["--evidence", file];
        arguments.extend(nonce.iter().flat_map(|nonce| ["--nonce", nonce]));
        let Some(run) = azure(&arguments) else { return };
        assert_eq!(
            (run.status, run.last_line()),
            (0, "ACCEPTED"),
            "{file}: {run:?}"
        );
        let outcome = if nonce.is_some() { "PASS" } else { "SKIP" };
        assert!(
            run.stdout
                .contains(&format!("\n{outcome}  azure.quote.nonce  ")),
            "{run:?}"
        );
        assert!(
            run.stdout
                .contains("\nINFO  azure.statement  The nonce rides"),
            "{run:?}"
        );
        assert!(
            run.stdout.contains("\nINFO  snp.crl  not checked"),
            "{run:?}"
        );
    }
}

#[test]
fn a_tdx_vm_without_collateral_is_incomplete() {
    for file in [
        "az-tdx-vtpm/evidence-v0.json",
        "az-tdx-vtpm/evidence-v1.json",
    ] {
        let Some(run) = azure(&["--evidence", file, "--nonce", NONCE]) else {
            return;
        };
        assert_eq!(
            (run.status, run.last_line()),
            (20, "INCOMPLETE  azure.complete"),
            "{file}: {run:?}"
        );
        for line in [
            "PASS  tdx.qe_report.signature  ",
            "SKIP  tdx.tcb.level  ",
            "PASS  azure.td_quote  ",
            "PASS  azure.quote.signature  ",
            "SKIP  azure.complete  ",
        ] {
            assert!(run.stdout.contains(&format!("\n{line}")), "{line}: {run:?}");
        }
    }
}

#[test]
fn another_nonce_is_rejected() {
    let Some(run) = azure(&[
        "--evidence",
        "az-snp-vtpm/evidence-v1.json",
        "--nonce",
        "00",
    ]) else {
        return;
    };
    assert_eq!(
        (run.status, run.last_line()),
        (10, "REJECTED  azure.quote.nonce"),
        "{run:?}"
    );
    assert!(
        run.stdout.contains("\nPASS  azure.quote.signature  "),
        "{run:?}"
    );
    assert!(run.stdout.contains("\nSKIP  azure.quote.pcrs  "), "{run:?}");
}

#[test]
fn parts_in_files_of_their_own_say_the_same() {
    let Some(folder) = vectors() else { return };
    let document = fs::read(folder.join("trustee/az-snp-vtpm/evidence-v0.json")).unwrap();
    let document: serde_json::Value = serde_json::from_slice(&document).unwrap();
    let home = tempfile::tempdir().unwrap();
    let bytes =
        |value: &serde_json::Value| -> Vec<u8> { serde_json::from_value(value.clone()).unwrap() };
    let quote = &document["quote"];
    let pcrs = quote["pcrs"].as_array().unwrap().iter().flat_map(bytes);
    let write = |name: &str, bytes: &[u8]| fs::write(home.path().join(name), bytes).unwrap();
    write("hcl.bin", &bytes(&document["report"]));
    write("quote.msg", &bytes(&quote["message"]));
    write("quote.sig", &bytes(&quote["signature"]));
    write("pcrs.hex", hex::encode(pcrs.collect::<Vec<_>>()).as_bytes());
    write("vcek.pem", document["vcek"].as_str().unwrap().as_bytes());
    statuses_of_parts(home.path());
}

fn statuses_of_parts(folder: &Path) {
    let quote = ["--quote", "quote.msg", "--signature", "quote.sig"];
    for (arguments, status, last_line) in [
        (
            &[&["--vek", "vcek.pem", "--pcrs", "pcrs.hex"], &quote[..]].concat(),
            0,
            "ACCEPTED",
        ),
        (
            &[&["--vek", "vcek.pem"], &quote[..]].concat(),
            0,
            "ACCEPTED",
        ),
        (&quote.to_vec(), 20, "INCOMPLETE  azure.complete"),
        (&vec!["--vek", "vcek.pem"], 20, "INCOMPLETE  azure.complete"),
        (
            &[&["--vek", "hcl.bin"], &quote[..]].concat(),
            30,
            "MALFORMED  snp.vek.format",
        ),
        (&vec!["--quote", "quote.msg"], 2, ""),
    ] {
        let mut all = vec!["verify", "azure", "--at", AT, "--hcl", "hcl.bin"];
        all.extend(arguments);
        let run = narthex(folder, &all);
        assert_eq!(
            (run.status, run.last_line()),
            (status, last_line),
            "{arguments:?}: {run:?}"
        );
    }
}

#[test]
fn json_has_the_claims() {
    let Some(run) = azure(&["--evidence", "az-snp-vtpm/evidence-v1.json", "--json"]) else {
        return;
    };
    let claims = &run.json()["claims"];
    assert_eq!(claims["snp"]["vmpl"], 0);
    assert_eq!(claims["vm_configuration"]["secure_boot"], true);
    assert_eq!(claims["quote"]["extra_data"], NONCE);
    assert_eq!(claims["quote"]["pcrs"].as_object().unwrap().len(), 24);
    assert_eq!(claims["nonce"], serde_json::Value::Null);
    assert_eq!(claims["statements"].as_array().unwrap().len(), 3);
}

#[test]
fn a_document_that_is_none_is_malformed() {
    let home = tempfile::tempdir().unwrap();
    fs::write(home.path().join("e.json"), "{}").unwrap();
    let run = narthex(
        home.path(),
        &["verify", "azure", "--evidence", "e.json", "--at", AT],
    );
    assert_eq!(
        (run.status, run.last_line()),
        (30, "MALFORMED  azure.evidence"),
        "{run:?}"
    );
}
