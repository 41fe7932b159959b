//! `narthex verify tdx`: exit statuses on real evidence, and the output contract.

use crate::narthex::{Run, dcap_qvl_samples, narthex, vectors};
use std::fs;

/// The quote of TDX 1.0 that crate `dcap-qvl` ships, with its collateral and more arguments.
fn genuine(arguments: &[&str]) -> Run {
    let mut all = vec!["verify", "tdx", "--quote", "tdx_quote"];
    all.extend(["--collateral", "tdx_quote_collateral.json"]);
    if !arguments.contains(&"--at") {
        all.extend(["--at", "2025-07-01T00:00:00Z"]);
    }
    all.extend(arguments);
    narthex(&dcap_qvl_samples(), &all)
}

/// The same quote under the collateral of October 2026: its TCB is out of date by then.
fn out_of_date(arguments: &[&str]) -> Run {
    let mut all = vec!["verify", "tdx", "--quote", "tdx_quote"];
    all.extend(["--collateral", "tdx_quote_td15ex_collateral.json"]);
    all.extend(["--at", "2026-10-20T00:00:00Z"]);
    all.extend(arguments);
    narthex(&dcap_qvl_samples(), &all)
}

#[test]
fn tdx_lines_of_the_tables_of_cases() {
    let shipped = include_str!("dcap_qvl_cases.tsv").to_owned();
    let mut tables = vec![(dcap_qvl_samples(), shipped)];
    tables.extend(vectors().map(|folder| {
        let table = fs::read_to_string(folder.join("CASES.tsv")).unwrap();
        (folder, table)
    }));
    for (folder, table) in tables {
        let cases: Vec<Vec<&str>> = table
            .lines()
            .skip(1)
            .map(|line| line.split('\t').collect())
            .filter(|case: &Vec<&str>| case[2].starts_with("verify tdx "))
            .collect();
        assert!(cases.len() >= 8, "only {} cases in {folder:?}", cases.len());
        for case in cases {
            let mut arguments: Vec<&str> = case[2].split(' ').collect();
            arguments.extend(["--at", case[1]]);
            let run = narthex(&folder, &arguments);
            assert_eq!(run.status.to_string(), case[0], "{}: {run:?}", case[3]);
        }
    }
}

#[test]
fn lines_and_verdict_have_the_contract_s_shape() {
    let run = genuine(&[]);
    assert_eq!(run.status, 0, "{run:?}");
    assert_eq!(run.last_line(), "ACCEPTED");
    let lines: Vec<&str> = run.stdout.lines().collect();
    for line in &lines[..lines.len() - 1] {
        let word = line.split("  ").next().unwrap();
        assert!(["PASS", "FAIL", "SKIP", "INFO"].contains(&word), "{line}");
    }
    for line in [
        "PASS  tdx.signature  ",
        "PASS  tdx.tcb.status  ",
        "PASS  tdx.debug  ",
        "SKIP  tdx.event_log.replay  ",
        "INFO  tdx.measurement  ",
    ] {
        assert!(run.stdout.contains(&format!("\n{line}")), "{line}: {run:?}");
    }
    assert!(!run.stdout.contains("FAIL"), "{run:?}");
}

#[test]
fn out_of_date_says_what_is_behind_and_what_that_exposes() {
    let run = out_of_date(&[]);
    assert_eq!(run.status, 10, "{run:?}");
    assert_eq!(run.last_line(), "REJECTED  tdx.tcb.status");
    for line in [
        "SGX TCB component 1 (Early Microcode Update): has 3, needs 4",
        "TDX TCB component 3 (TDX Late Microcode Update): has 3, needs 4",
        "TDX module: has 6, needs 11",
        "INTEL-SA-01192",
        "INTEL-SA-01313",
    ] {
        assert!(
            run.stdout.contains(&format!("— {line}\n")),
            "{line}: {run:?}"
        );
    }
    let document = out_of_date(&["--json"]).json();
    assert_eq!(document["claims"]["tcb"]["status"], "OutOfDate");
    assert_eq!(
        document["claims"]["tcb"]["out_of_date_since"],
        "2025-05-14T00:00:00Z"
    );
    assert_eq!(document["retryable"], false);
}

#[test]
fn without_collateral_all_that_was_given_passes_and_the_rest_is_skipped() {
    let arguments = [
        "verify",
        "tdx",
        "--quote",
        "tdx_quote",
        "--at",
        "2025-07-01T00:00:00Z",
    ];
    let run = narthex(&dcap_qvl_samples(), &arguments);
    assert_eq!(run.status, 20, "{run:?}");
    assert_eq!(run.last_line(), "INCOMPLETE  tdx.collateral.given");
    for line in [
        "PASS  tdx.signature  ",
        "PASS  tdx.pck.chain  ",
        "PASS  tdx.qe_report.signature  ",
        "SKIP  tdx.tcb_info.signature  ",
        "SKIP  tdx.collateral.given  ",
        "SKIP  tdx.tcb.level  ",
    ] {
        assert!(run.stdout.contains(&format!("\n{line}")), "{line}: {run:?}");
    }
    assert!(!run.stdout.contains("FAIL"), "{run:?}");
}

#[test]
fn collateral_past_its_window_is_retryable() {
    let run = genuine(&["--json", "--at", "2025-08-01T00:00:00Z"]);
    assert_eq!(run.status, 10, "{run:?}");
    assert_eq!(run.json()["retryable"], true);
}

#[test]
fn malformed_input_is_30() {
    let folder = tempfile::tempdir().unwrap();
    let samples = dcap_qvl_samples();
    let quote = fs::read(samples.join("tdx_quote")).unwrap();
    let json = fs::read_to_string(samples.join("tdx_quote_collateral.json")).unwrap();
    let file = |name: &str, bytes: &[u8]| fs::write(folder.path().join(name), bytes).unwrap();
    file("quote", &quote);
    file("collateral", json.as_bytes());
    file("short", &quote[..1000]);
    file("empty", b"");
    file("version", &[&[9], &quote[1..]].concat());
    file("trailing", format!("{json}{{}}").as_bytes());
    file(
        "doubled",
        json.replacen('{', "{\"pck_crl\": \"\",", 1).as_bytes(),
    );
    file(
        "unknown",
        json.replacen('{', "{\"pck\": \"\",", 1).as_bytes(),
    );
    file("huge", &vec![b' '; 2 << 20]);
    for (quote, collateral, code) in [
        ("short", "collateral", "tdx.quote.size"),
        ("empty", "collateral", "tdx.quote.size"),
        ("version", "collateral", "tdx.quote.version"),
        ("quote", "trailing", "tdx.collateral.format"),
        ("quote", "doubled", "tdx.collateral.format"),
        ("quote", "unknown", "tdx.collateral.format"),
        ("quote", "empty", "tdx.collateral.format"),
        ("quote", "huge", "file.too_large"),
    ] {
        let arguments = [
            "verify",
            "tdx",
            "--quote",
            quote,
            "--collateral",
            collateral,
        ];
        let run = narthex(folder.path(), &arguments);
        assert_eq!(run.status, 30, "{quote} {collateral}: {run:?}");
        assert!(
            run.last_line().contains(code),
            "{quote} {collateral}: {run:?}"
        );
    }
}
