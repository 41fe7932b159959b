//! `narthex verify snp`: exit statuses on real evidence, and the output contract.

use crate::narthex::{Run, narthex, sev_evidence, vectors};
use std::{fs, path::Path};
use tee_sim::PolicyText;

const AT: &str = "2026-06-01T00:00:00Z";

/// The Milan evidence of crate `sev`, with more arguments.
fn milan(arguments: &[&str]) -> Run {
    let mut all = vec!["verify", "snp", "--report", "report_milan.hex", "--at", AT];
    if !arguments.contains(&"--vek") {
        all.extend(["--vek", "vcek_milan.der"]);
    }
    all.extend(arguments);
    narthex(&sev_evidence(), &all)
}

#[test]
fn snp_lines_of_the_table_of_cases() {
    let (folder, table) = match vectors() {
        Some(folder) => {
            let table = fs::read_to_string(folder.join("CASES.tsv")).unwrap();
            (folder, table)
        }
        None => (sev_evidence(), include_str!("sev_cases.tsv").to_owned()),
    };
    let cases: Vec<Vec<&str>> = table
        .lines()
        .skip(1)
        .map(|line| line.split('\t').collect())
        .filter(|case: &Vec<&str>| case[2].starts_with("verify snp "))
        .collect();
    assert!(cases.len() >= 6, "only {} cases in {folder:?}", cases.len());
    for case in cases {
        let mut arguments: Vec<&str> = case[2].split(' ').collect();
        arguments.extend(["--at", case[1]]);
        let run = narthex(&folder, &arguments);
        assert_eq!(run.status.to_string(), case[0], "{}: {run:?}", case[3]);
    }
}

#[test]
fn lines_and_verdict_have_the_contract_s_shape() {
    let run = milan(&[]);
    assert_eq!(run.status, 0, "{run:?}");
    assert_eq!(run.last_line(), "ACCEPTED");
    let lines: Vec<&str> = run.stdout.lines().collect();
    for line in &lines[..lines.len() - 1] {
        let word = line.split("  ").next().unwrap();
        assert!(["PASS", "FAIL", "SKIP", "INFO"].contains(&word), "{line}");
    }
    assert!(run.stdout.contains("\nINFO  snp.crl  not checked"));
    assert!(run.stdout.contains("\nPASS  snp.signature  "));
    assert_eq!(run.stderr, "");
}

#[test]
fn what_was_not_tried_is_skipped_and_never_passed() {
    let run = milan(&["--vek", "vcek_turin.der"]);
    assert_eq!(run.status, 10, "{run:?}");
    assert!(run.stdout.contains("\nSKIP  snp.signature  "), "{run:?}");
    assert!(run.last_line().starts_with("REJECTED  snp."), "{run:?}");
}

#[test]
fn json_says_the_same_in_one_document() {
    let accepted = milan(&["--json"]);
    let document = accepted.json();
    assert_eq!(accepted.status, 0);
    assert_eq!(document["verdict"], "accepted");
    assert_eq!(document["retryable"], false);
    assert_eq!(document["claims"]["product"], "Milan");
    let checks = document["checks"].as_array().unwrap();
    assert!(
        checks
            .iter()
            .any(|check| check["id"] == "snp.signature" && check["outcome"] == "PASS")
    );

    let late = milan(&["--json", "--at", "2031-01-01T00:00:00Z"]);
    assert_eq!(late.status, 2, "--at twice is a usage error: {late:?}");
    let late = narthex(
        &sev_evidence(),
        &[
            "verify",
            "snp",
            "--json",
            "--report",
            "report_milan.hex",
            "--vek",
            "vcek_milan.der",
            "--at",
            "2031-01-01T00:00:00Z",
        ],
    );
    assert_eq!(late.status, 10);
    assert_eq!(late.json()["retryable"], true);
    assert_eq!(late.json()["exit"], 10);
}

#[test]
fn files_may_be_raw_hexadecimal_pem_or_der() {
    let folder = tempfile::tempdir().unwrap();
    let evidence = sev_evidence();
    let text = fs::read_to_string(evidence.join("report_milan.hex")).unwrap();
    let raw = hex::decode(text.trim()).unwrap();
    let der = fs::read(evidence.join("vcek_milan.der")).unwrap();
    let pem = format!(
        "leading text\n-----BEGIN CERTIFICATE-----\n{}\n-----END CERTIFICATE-----\n",
        base64::Engine::encode(&base64::engine::general_purpose::STANDARD, &der)
    );
    let file = |name: &str, bytes: &[u8]| fs::write(folder.path().join(name), bytes).unwrap();
    file("report.bin", &raw);
    file("report.hex", text.to_uppercase().as_bytes());
    file("vek.pem", pem.as_bytes());
    file("vek.der", &der);
    file("two.pem", format!("{pem}{pem}").as_bytes());
    let verify = |report: &str, vek: &str| {
        let arguments = [
            "verify", "snp", "--report", report, "--vek", vek, "--at", AT,
        ];
        narthex(folder.path(), &arguments)
    };
    assert_eq!(verify("report.bin", "vek.der").status, 0);
    assert_eq!(verify("report.hex", "vek.pem").status, 0);
    assert_eq!(
        verify("report.bin", "two.pem").last_line(),
        "MALFORMED  snp.vek.format"
    );
    assert_eq!(verify("report.bin", "two.pem").status, 30);
}

#[test]
fn malformed_input_is_30_and_wrong_use_is_2() {
    let folder = tempfile::tempdir().unwrap();
    let evidence = sev_evidence();
    let vek = evidence.join("vcek_milan.der");
    let vek = vek.to_str().unwrap();
    let text = fs::read_to_string(evidence.join("report_milan.hex")).unwrap();
    let raw = hex::decode(text.trim()).unwrap();
    let file = |name: &str, bytes: &[u8]| fs::write(folder.path().join(name), bytes).unwrap();
    file("short", &raw[..1183]);
    file("long", &[raw.as_slice(), &[0]].concat());
    file("empty", b"");
    file("huge", &vec![0; 2 << 20]);
    let version = [&[9], &raw[1..]].concat();
    file("version", &version);
    for (report, code) in [
        ("short", "snp.report.size"),
        ("long", "snp.report.size"),
        ("empty", "snp.report.size"),
        ("version", "snp.report.version"),
        ("huge", "file.too_large"),
    ] {
        let arguments = [
            "verify", "snp", "--report", report, "--vek", vek, "--at", AT,
        ];
        let run = narthex(folder.path(), &arguments);
        assert_eq!(run.status, 30, "{report}: {run:?}");
        assert!(run.last_line().contains(code), "{report}: {run:?}");
    }
    for arguments in [
        vec!["verify", "snp", "--report", "short"],
        vec!["verify", "snp", "--report", "absent", "--vek", vek],
        vec![
            "verify",
            "snp",
            "--report",
            "short",
            "--vek",
            vek,
            "--at",
            "yesterday",
        ],
        vec!["verify", "everything"],
    ] {
        let run = narthex(folder.path(), &arguments);
        assert_eq!(run.status, 2, "{arguments:?}: {run:?}");
    }
}

#[test]
fn every_flipped_bit_of_one_byte_in_each_field_is_noticed() {
    let folder = tempfile::tempdir().unwrap();
    let evidence = sev_evidence();
    let vek = evidence.join("vcek_milan.der");
    let text = fs::read_to_string(evidence.join("report_milan.hex")).unwrap();
    let raw = hex::decode(text.trim()).unwrap();
    // One byte of GUEST_SVN, REPORT_DATA, MEASUREMENT, HOST_DATA, the reserved rest and R.
    for offset in [0x04, 0x50, 0x90, 0xC0, 0x29F, 0x2A0] {
        let mut flipped = raw.clone();
        flipped[offset] ^= 1;
        fs::write(folder.path().join("flipped"), &flipped).unwrap();
        let arguments = [
            "verify",
            "snp",
            "--report",
            "flipped",
            "--vek",
            vek.to_str().unwrap(),
            "--at",
            AT,
        ];
        let run = narthex(folder.path(), &arguments);
        assert!([10, 30].contains(&run.status), "{offset:#x}: {run:?}");
    }
}

/// The policy that admits the Milan report of crate `sev`, signed by the shipped command.
fn signed_policy(folder: &Path, edit: impl FnOnce(&str) -> String) {
    let mut text = PolicyText::admitting(
        &tee_sim::Report::of(attestation::snp::Product::Milan),
        attestation::UnixTime::from_rfc3339("2026-01-01T00:00:00Z").unwrap(),
        attestation::UnixTime::from_rfc3339("2026-12-01T00:00:00Z").unwrap(),
    );
    let measurement = milan(&["--json"]).json()["claims"]["measurement"]
        .as_str()
        .unwrap()
        .to_owned();
    hex::decode_to_slice(measurement, &mut text.measurement).unwrap();
    text.minimum_tcb = attestation::snp::TcbVersion::default();
    fs::write(folder.join("policy.toml"), edit(&text.to_toml())).unwrap();
    for arguments in [
        vec!["policy", "keygen", "alice"],
        vec![
            "policy",
            "sign",
            "--key",
            "alice.pem",
            "policy.toml",
            "-o",
            "policy.json",
        ],
    ] {
        let run = narthex(folder, &arguments);
        assert_eq!(run.status, 0, "{run:?}");
    }
}

fn under_policy(folder: &Path) -> Run {
    let file = |name: &str| folder.join(name).to_str().unwrap().to_owned();
    let (policy, key) = (file("policy.json"), file("alice.pub.pem"));
    milan(&["--policy", &policy, "--policy-key", &key])
}

/// The Milan report is of version 2 and says nothing of aliases.
fn without_alias_check(toml: &str) -> String {
    toml.replace("required = [\"alias_check_complete\"]", "")
        .replace("[snp.platform_info]\n", "")
}

#[test]
fn a_policy_judges_the_report() {
    let folder = tempfile::tempdir().unwrap();
    signed_policy(folder.path(), without_alias_check);
    let run = under_policy(folder.path());
    assert_eq!(run.status, 0, "{run:?}");
    assert!(run.stdout.contains("\nPASS  policy.snp  "), "{run:?}");

    let other = tempfile::tempdir().unwrap();
    signed_policy(other.path(), |toml| {
        let digest = toml.find("digest = \"").unwrap() + "digest = \"".len();
        format!(
            "{}{}{}",
            &toml[..digest],
            "0".repeat(96),
            &toml[digest + 96..]
        )
    });
    let run = under_policy(other.path());
    assert_eq!(run.status, 10, "{run:?}");
    for code in ["policy.snp.measurement", "policy.snp.platform_info"] {
        assert!(
            run.stdout.contains(&format!("\nFAIL  {code}  ")),
            "{code}: {run:?}"
        );
    }
}

#[test]
fn a_policy_without_keys_is_not_a_policy() {
    let folder = tempfile::tempdir().unwrap();
    signed_policy(folder.path(), str::to_owned);
    let policy = folder.path().join("policy.json");
    let run = milan(&["--policy", policy.to_str().unwrap()]);
    assert_eq!(run.status, 2, "{run:?}");
    assert!(run.stderr.contains("policy.root.no_keys"), "{run:?}");
}
