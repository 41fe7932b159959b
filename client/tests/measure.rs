//! `narthex measure`: on the OVMF builds that the package of crate `sev` ships the last pages of.
#![allow(clippy::print_stderr, reason = "tests fail by panicking")]

use crate::narthex::{self, Run, narthex, sev_evidence};
use std::fs;

/// Of sev-snp-measure 0.0.13 and of crate `sev`.
const MILAN_4: &str = "3d7458fb443ad11bf1fc3d52deaa715d0b0426289a7f0d873da1a81d24cc69b0ae07bdd8bca10e8a111378a4ffee04e9";
const MILAN_4_KERNEL: &str = "978970d3407a1b829dd0186264e7e412829971d0af667f15e4abf953330fbb251d2e3b1657366f2dad93136870d42138";
const EC2_4: &str = "eb19df5094339442b2b9d773e09d7b77680d9fc2b5992fc8635af2c4ad2d363efc57d3337bba8ee50672df6aa0163b73";

/// `narthex measure snp` of a guest with four virtual CPUs, in a folder with all files.
fn snp(arguments: &[&str]) -> Run {
    let folder = tempfile::tempdir().unwrap();
    let ovmf = sev_evidence().join("../measurement/ovmf_AmdSev_suffix.bin");
    fs::copy(ovmf, folder.path().join("ovmf")).unwrap();
    fs::write(folder.path().join("kernel"), b"kernel").unwrap();
    fs::write(folder.path().join("initrd"), b"initrd").unwrap();
    let mut all = vec!["measure", "snp", "--ovmf", "ovmf", "--guest-features", "21"];
    if !arguments.contains(&"--vcpus") {
        all.extend(["--vcpus", "4"]);
    }
    all.extend(arguments);
    narthex(folder.path(), &all)
}

#[test]
fn the_digest_stands_alone_for_scripts() {
    let run = snp(&["--vcpu-type", "epyc-milan"]);
    assert_eq!((run.status, run.stdout), (0, format!("{MILAN_4}\n")));
    assert_eq!(run.stderr, "");
    let of_kernel = snp(&[
        "--vcpu-type",
        "EPYC-Milan",
        "--kernel",
        "kernel",
        "--initrd",
        "initrd",
        "--append",
        "console=ttyS0 quiet",
    ]);
    assert_eq!(of_kernel.stdout, format!("{MILAN_4_KERNEL}\n"));
    assert_eq!(snp(&["--vmm", "ec2"]).stdout, format!("{EC2_4}\n"));
    let same = snp(&["--reset-edx", "0xa00f11"]);
    assert_eq!(same.stdout, format!("{MILAN_4}\n"));
}

#[test]
fn a_difference_is_a_rejection() {
    let held = snp(&["--vcpu-type", "EPYC-Milan", "--expect", MILAN_4]);
    assert_eq!((held.status, held.last_line()), (0, "ACCEPTED"));
    let differs = snp(&["--vcpu-type", "EPYC-Genoa", "--expect", MILAN_4]);
    assert_eq!(differs.status, 10);
    assert_eq!(differs.last_line(), "REJECTED  measure.expected");
    let document = snp(&["--vcpu-type", "EPYC-Genoa", "--expect", MILAN_4, "--json"]).json();
    assert_eq!(document["verdict"], "rejected");
    assert_eq!(document["exit"], 10);
    assert_eq!(document["expected"], MILAN_4);
    assert!(document["regions"].is_null());
}

#[test]
fn every_region_is_explained() {
    let run = snp(&["--vcpu-type", "EPYC-Milan", "--explain"]);
    let lines: Vec<&str> = run.stdout.lines().collect();
    assert_eq!(lines.len(), 1 + 7 + 4 + 1, "{run:?}");
    assert!(lines[0].starts_with("firmware "), "{run:?}");
    assert!(lines[11].ends_with(lines[12]), "{run:?}");
    assert_eq!(lines[12], MILAN_4);

    let document = snp(&["--vcpu-type", "EPYC-Milan", "--explain", "--json"]).json();
    let regions = document["regions"].as_array().unwrap();
    assert_eq!(regions.len(), 12);
    assert_eq!(regions[6]["kind"], "KERNEL_HASHES");
    assert_eq!(regions[6]["gpa"], "0x810000");
    assert_eq!(regions[11]["digest"], document["measurement"]);
}

#[test]
fn mistakes_have_their_status() {
    let status = |arguments: &[&str]| snp(arguments).status;
    assert_eq!(status(&[]), 2, "QEMU's digest depends on the type");
    assert_eq!(status(&["--vcpu-type", "EPYC-Siena"]), 2);
    assert_eq!(status(&["--vcpu-type", "EPYC", "--append", "quiet"]), 2);
    assert_eq!(status(&["--vcpu-type", "EPYC", "--vcpus", "0"]), 2);
    assert_eq!(status(&["--vcpu-type", "EPYC", "--expect", "00"]), 2);
    assert_eq!(status(&["--vcpu-type", "EPYC", "--kernel", "absent"]), 2);

    let folder = tempfile::tempdir().unwrap();
    fs::write(folder.path().join("ovmf"), [0; 4096]).unwrap();
    let arguments = [
        "measure",
        "snp",
        "--ovmf",
        "ovmf",
        "--vcpus",
        "1",
        "--vcpu-type",
        "EPYC",
    ];
    let run = narthex(folder.path(), &arguments);
    assert_eq!(run.status, 30, "{run:?}");
    assert!(
        run.stderr.starts_with("error[measure.firmware.footer]: "),
        "{run:?}"
    );
}

#[test]
fn firmware_that_cannot_measure_a_kernel_is_not_pretended_to() {
    let folder = tempfile::tempdir().unwrap();
    let ovmf = sev_evidence().join("../measurement/ovmf_OvmfX64_suffix.bin");
    fs::copy(ovmf, folder.path().join("ovmf")).unwrap();
    let arguments = [
        "measure",
        "snp",
        "--ovmf",
        "ovmf",
        "--vcpus",
        "1",
        "--vcpu-type",
        "EPYC",
        "--kernel",
        "ovmf",
    ];
    let run = narthex(folder.path(), &arguments);
    assert_eq!(run.status, 20, "{run:?}");
    assert!(
        run.stderr.contains("[measure.snp.kernel_hashes]"),
        "{run:?}"
    );
}

/// Of an image of 4 MiB that ends as OVMF's build for X64 does (`attestation/tests/measure_tdx.rs`).
const MRTD: &str = "aac643ef49e84b81fa8fe312038df455f44beb4bc753f9543f51cf7346a86cf345062f42e6a4c91c6a5850b19eef01c9";
const MRTD_TWO_PASS: &str = "67bf7ad21bebcba7d24bb1a429fc116a5bc3d6fad46040d9e0c16b8f6e2e71c0e14fe304929e85313c3fce6cb8613acf";

fn tdx(arguments: &[&str]) -> Run {
    let folder = tempfile::tempdir().unwrap();
    let suffix = sev_evidence().join("../measurement/ovmf_OvmfX64_suffix.bin");
    let end = fs::read(suffix).unwrap();
    let before = 4 * 1024 * 1024 - end.len();
    let mut image: Vec<u8> = (0..before).map(|i| (i * 7 + i / 256) as u8).collect();
    image.extend(end);
    fs::write(folder.path().join("tdvf"), image).unwrap();
    fs::write(folder.path().join("initrd"), b"initrd").unwrap();
    fs::write(folder.path().join("noise"), b"noise").unwrap();
    let mut all = vec!["measure", "tdx", "--firmware", "tdvf"];
    all.extend(arguments);
    narthex(folder.path(), &all)
}

#[test]
fn mrtd_stands_alone_and_can_be_expected() {
    let run = tdx(&[]);
    assert_eq!((run.status, run.stdout), (0, format!("{MRTD}\n")));
    let two_pass = tdx(&["--page-order", "two-pass", "--expect", MRTD]);
    assert_eq!(two_pass.status, 10, "{two_pass:?}");
    assert!(two_pass.stdout.starts_with(MRTD_TWO_PASS), "{two_pass:?}");
    let document = tdx(&["--explain", "--json", "--expect", MRTD]).json();
    assert_eq!(document["verdict"], "accepted");
    assert_eq!(document["regions"].as_array().unwrap().len(), 6);
}

#[test]
fn what_cannot_be_measured_is_said() {
    let status = |arguments: &[&str]| tdx(arguments).status;
    assert_eq!(status(&["--kernel", "noise"]), 2, "without initrd");
    let of_noise = tdx(&["--kernel", "noise", "--initrd", "initrd", "--append", ""]);
    assert_eq!(of_noise.status, 30, "{of_noise:?}");
    assert!(of_noise.stderr.contains("[measure.kernel]"), "{of_noise:?}");
    let of_log = tdx(&["--event-log", "noise"]);
    assert_eq!(of_log.status, 30, "{of_log:?}");
    assert!(of_log.stderr.contains("[eventlog."), "{of_log:?}");
}

#[test]
fn a_real_log_gives_its_registers() {
    let Some(vectors) = narthex::vectors() else {
        eprintln!("no package ships an event log: nothing to look at");
        return;
    };
    let log = vectors.join("go-tdx-guest/ccel/ccel_data.dat");
    let run = tdx(&["--event-log", log.to_str().unwrap()]);
    assert_eq!(run.status, 0, "{run:?}");
    let names: Vec<_> = run.stdout.lines().skip(1).map(|line| &line[..5]).collect();
    assert_eq!(names, ["RTMR0", "RTMR1", "RTMR2", "RTMR3"]);
}
