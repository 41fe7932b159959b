//! `narthex verify nvidia`: exit statuses on real evidence, and the output contract.
#![allow(
    clippy::print_stdout,
    reason = "tests fail by panicking, and show what they looked at"
)]

use crate::narthex::{Run, narthex, vectors};
use std::{
    fs,
    path::{Path, PathBuf},
};

const REPORT: &str = "go-nvattest-tools/test_raw_gpu_attestation_report.dat";
const CHAIN: &str = "go-nvattest-tools/test_gpu_attestation_certificate_chain.dat";
const DRIVER: &str = "go-nvattest-tools/rim/NV_GPU_DRIVER_GH100_550.90.07.xml";
const VBIOS: &str = "go-nvattest-tools/rim/NV_GPU_VBIOS_1010_0200_882_96009F0001.xml";

/// The folder of real evidence; no package ships any of NVIDIA's.
fn folder() -> Option<PathBuf> {
    let folder = vectors();
    if folder.is_none() {
        println!("no NARTHEX_VECTORS: nothing to look at");
    }
    folder
}

/// The Hopper evidence, with more arguments, at `at`.
fn hopper(folder: &Path, at: &str, arguments: &[&str]) -> Run {
    let mut all = vec![
        "verify", "nvidia", "--report", REPORT, "--chain", CHAIN, "--at", at,
    ];
    all.extend(arguments);
    narthex(folder, &all)
}

fn outcome<'a>(run: &'a Run, id: &str) -> &'a str {
    let line = run
        .stdout
        .lines()
        .find(|line| line.split("  ").nth(1) == Some(id));
    line.unwrap_or_else(|| panic!("{id}: {run:?}"))
        .split("  ")
        .next()
        .unwrap()
}

#[test]
fn nvidia_lines_of_the_table_of_cases() {
    let Some(folder) = folder() else {
        return;
    };
    let table = fs::read_to_string(folder.join("CASES.tsv")).unwrap();
    let cases: Vec<Vec<&str>> = table
        .lines()
        .skip(1)
        .map(|line| line.split('\t').collect())
        .filter(|case: &Vec<&str>| case[2].starts_with("verify nvidia "))
        .collect();
    assert!(
        cases.len() >= 13,
        "only {} cases in {folder:?}",
        cases.len()
    );
    let mut wrong = Vec::new();
    for case in cases {
        let mut arguments: Vec<&str> = case[2].split(' ').collect();
        arguments.extend(["--at", case[1]]);
        let run = narthex(&folder, &arguments);
        println!(
            "{}\t{}\t{}\t{}",
            case[0],
            run.status,
            case[3],
            run.last_line()
        );
        if run.status.to_string() != case[0] {
            wrong.push(format!("{}: {run:?}", case[3]));
        }
    }
    assert!(wrong.is_empty(), "{wrong:#?}");
}

#[test]
fn what_was_not_given_is_skipped_and_what_was_given_passes() {
    let Some(folder) = folder() else {
        return;
    };
    let at = "2025-09-01T00:00:00Z";
    let run = hopper(&folder, at, &[]);
    assert_eq!(run.status, 20, "{run:?}");
    assert_eq!(outcome(&run, "nvidia.signature"), "PASS");
    for id in [
        "nvidia.nonce",
        "nvidia.rim.signature",
        "nvidia.measurements.vbios",
        "nvidia.ocsp.revoked",
        "nvidia.complete",
    ] {
        assert_eq!(outcome(&run, id), "SKIP", "{id}");
    }
    let run = hopper(&folder, at, &["--rim", VBIOS]);
    assert_eq!(run.status, 20, "{run:?}");
    assert_eq!(outcome(&run, "nvidia.measurements.vbios"), "PASS");
    assert_eq!(outcome(&run, "nvidia.measurements.driver"), "SKIP");
    assert!(
        run.stdout.contains("12 of 12 match 96.00.9F.00.01"),
        "{run:?}"
    );
    assert!(run.last_line().starts_with("INCOMPLETE"));
    let nonce = "931d8dd0add203ac3d8b4fbde75e115278eefcdceac5b87671a748f32364dfcb";
    let run = hopper(
        &folder,
        at,
        &["--rim", VBIOS, "--rim", DRIVER, "--nonce", nonce],
    );
    assert_eq!(outcome(&run, "nvidia.nonce"), "PASS");
    assert!(run.stdout.contains("21 of 21 match 550.90.07"), "{run:?}");
}

#[test]
fn responses_of_the_day_are_used() {
    let Some(folder) = folder() else {
        return;
    };
    let response = |name: &str| {
        format!(
            "go-nvattest-tools/ocsp/test_gpu_certificate_{name}_base64encoded_ocsp_response.dat"
        )
    };
    let files = ["l2", "l3", "l4"].map(response);
    let mut arguments = vec!["--rim", VBIOS, "--rim", DRIVER];
    arguments.extend(files.iter().flat_map(|file| ["--ocsp", file]));
    let run = hopper(&folder, "2025-08-21T12:00:00Z", &arguments);
    assert_eq!(run.status, 20, "{run:?}");
    assert_eq!(outcome(&run, "nvidia.ocsp.revoked"), "PASS");
    assert!(
        !run.stdout.contains("of device 431d480fe5e87274,"),
        "{run:?}"
    );
    let run = hopper(&folder, "2025-08-22T12:00:00Z", &arguments);
    assert_eq!(
        (run.status, outcome(&run, "nvidia.ocsp.window")),
        (10, "FAIL")
    );
    assert!(run.last_line().contains("retryable"));
}

#[test]
fn a_manifest_for_other_firmware_is_told() {
    let Some(folder) = folder() else {
        return;
    };
    let other = "nv-attestation-sdk/rims/NV_GPU_DRIVER_GH100_550.144.03.xml";
    let run = hopper(&folder, "2025-09-01T00:00:00Z", &["--rim", other]);
    assert_eq!(run.status, 20, "{run:?}");
    assert!(run.stdout.contains("nvidia.rim.unused") && run.stdout.contains("GH100 550.144.03"));
}

#[test]
fn a_machine_is_told_device_by_device_and_together() {
    let Some(folder) = folder() else {
        return;
    };
    let list = "go-nvattest-tools/test_ppcie_data.json";
    let run = narthex(&folder, &["verify", "nvidia", "--evidence", list]);
    assert_eq!(run.status, 20, "{run:?}");
    assert_eq!(outcome(&run, "nvidia.topology.linked"), "PASS");
    assert_eq!(run.stdout.matches("INFO  nvidia.device  ").count(), 12);
    assert!(
        run.stdout.contains("8 GPUs, 4 switches, none left out"),
        "{run:?}"
    );
}

#[test]
fn malformed_input_is_30_and_wrong_use_is_2() {
    let temporary = tempfile::tempdir().unwrap();
    let file = |name: &str, bytes: &[u8]| fs::write(temporary.path().join(name), bytes).unwrap();
    file("short", &[0x11; 36]);
    file("empty.json", b"{}");
    file("other.json", b"{\"gpus\": [{}]}");
    file(
        "list.json",
        b"[{\"evidence\": \"EQ==\", \"certificate\": \"!\"}]",
    );
    let run = |arguments: &[&str]| {
        narthex(
            temporary.path(),
            &[&["verify", "nvidia"], arguments].concat(),
        )
    };
    let report = run(&["--report", "short", "--chain", "short"]);
    assert_eq!(
        (report.status, report.last_line()),
        (30, "MALFORMED  nvidia.report.size")
    );
    for (list, code) in [
        ("empty.json", "nvidia.evidence.count"),
        ("other.json", "nvidia.evidence.form"),
        ("list.json", "nvidia.evidence.chain"),
        ("short", "nvidia.evidence.form"),
    ] {
        let run = run(&["--evidence", list]);
        assert_eq!(run.status, 30, "{list}: {run:?}");
        assert!(run.last_line().contains(code), "{list}: {run:?}");
    }
    for arguments in [
        &[][..],
        &["--report", "short"],
        &["--chain", "short"],
        &[
            "--report",
            "short",
            "--chain",
            "short",
            "--evidence",
            "empty.json",
        ],
        &["--evidence", "empty.json", "--nonce", "00"],
        &["--evidence", "absent"],
    ] {
        assert_eq!(run(arguments).status, 2, "{arguments:?}");
    }
}
