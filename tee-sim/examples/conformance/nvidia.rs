//! The cases of NVIDIA GPUs: a device's report and chain, its reference manifests, and OCSP responses.

use crate::{
    NOW,
    suite::{Case, Expect, Input, Suite, Verdict},
};
use attestation::{UnixTime, nvidia::STEPS};
use std::path::Path;
use tee_sim::nvidia::{FAULTS, Issued, Nvidia};

/// An hour after the OCSP responses were signed.
const LATER: UnixTime = NOW.plus(3600);

const NONCE: [u8; 32] = [0x4E; 32];

/// What the groups of faults are about.
const GROUPS: [&str; 3] = ["Device", "Manifest", "Revocation"];

/// Checks whose failure says that the input is not of a known form.
const MALFORMED: &[&str] = &[
    "nvidia.report.size",
    "nvidia.report.request",
    "nvidia.report.response",
    "nvidia.report.measurements",
    "nvidia.report.opaque",
    "nvidia.report.fields",
    "nvidia.report.complete",
    "nvidia.chain.length",
    "nvidia.chain.format",
    "nvidia.chain.extensions",
    "nvidia.rim.size",
    "nvidia.rim.xml",
    "nvidia.rim.tag",
    "nvidia.rim.measurements",
    "nvidia.rim.signature.format",
    "nvidia.rim.chain.format",
    "nvidia.ocsp.format",
];

/// Checks whose failure says that the verdict needs more, of input or of knowledge.
const INCOMPLETE: &[&str] = &[
    "nvidia.report.opaque_version",
    "nvidia.chip.known",
    "nvidia.rim.signature.algorithm",
    "nvidia.ocsp.algorithm",
    "nvidia.complete",
];

/// Title, code, what happens to what was signed.
type OnTheWay = (&'static str, &'static str, fn(&mut Issued));

/// The nonce stands at 4 to 36 of the request, with which the report begins.
const ON_THE_WAY: &[OnTheWay] = &[
    ("Another nonce in the request", "nvidia.nonce", |i| {
        i.report[4] ^= 1
    }),
    (
        "Last byte of the report changed",
        "nvidia.signature",
        flip_last,
    ),
    (
        "Another root than the pinned one",
        "nvidia.chain.issuer",
        |i| {
            i.chain.pop();
            i.device_root.clone_from(&i.rim_root);
        },
    ),
    ("No references", "nvidia.complete", |i| {
        i.references.rims.clear();
        i.references.ocsp.clear();
    }),
];

pub(crate) fn write(testdata: &Path) {
    let mut suite = Suite::new(testdata, "nvidia");
    let nvidia = Nvidia::invent(NOW);
    let genuine = nvidia.issue(&NONCE);
    share(&mut suite, &genuine);
    let title = "GPU of Hopper with its manifests and OCSP responses";
    let section = "NVIDIA attestation: report, reference manifests, OCSP";
    suite.write(case((title, section), Expect::accept(&[]), genuine));
    for (title, code, edit) in ON_THE_WAY {
        let mut issued = nvidia.issue(&NONCE);
        edit(&mut issued);
        let expect = Expect::refuse(verdict(code), code);
        suite.write(case((title, section_of(code)), expect, issued));
    }
    for (group, faults) in GROUPS.iter().zip(FAULTS) {
        for fault in faults {
            let title = format!("{group}: {}", fault.name);
            let expect = Expect::refuse(verdict(fault.code), fault.code);
            let issued = nvidia.with(fault.make).issue(&NONCE);
            suite.write(case((&title, section_of(fault.code)), expect, issued));
        }
    }
}

fn flip_last(issued: &mut Issued) {
    if let Some(last) = issued.report.last_mut() {
        *last ^= 1;
    }
}

fn verdict(code: &str) -> Verdict {
    if MALFORMED.contains(&code) {
        Verdict::Malformed
    } else if INCOMPLETE.contains(&code) {
        Verdict::Incomplete
    } else {
        Verdict::Reject
    }
}

/// Where the specification demands the check.
fn section_of(code: &str) -> &'static str {
    let step = STEPS.iter().find(|step| step.id == code);
    step.expect("every fault is of a step").section
}

/// What is right in nearly every case.
fn share(suite: &mut Suite, issued: &Issued) {
    suite.share("roots/device-root.der", &issued.device_root);
    suite.share("roots/rim-root.der", &issued.rim_root);
    suite.share("shared/nonce.bin", &NONCE);
    suite.share("shared/report.bin", &issued.report);
    let groups = [
        ("chain", "der", &issued.chain),
        ("rim", "xml", &issued.references.rims),
        ("ocsp", "der", &issued.references.ocsp),
    ];
    for (name, extension, files) in groups {
        for (index, file) in files.iter().enumerate() {
            suite.share(&format!("shared/{name}-{index}.{extension}"), file);
        }
    }
}

fn case<'a>(
    (title, specification): (&'a str, &'a str),
    expect: Expect<'a>,
    issued: Issued,
) -> Case<'a> {
    Case {
        title,
        specification,
        at: LATER,
        inputs: vec![
            Input::File("device_root", "device-root.der", issued.device_root),
            Input::File("rim_root", "rim-root.der", issued.rim_root),
            Input::File("nonce", "nonce.bin", NONCE.to_vec()),
            Input::File("report", "report.bin", issued.report),
            Input::Files("chain", "chain.der", issued.chain),
            Input::Files("rims", "rim.xml", issued.references.rims),
            Input::Files("ocsp", "ocsp.der", issued.references.ocsp),
        ],
        expect,
    }
}
