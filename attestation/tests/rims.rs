//! NVIDIA's own reference integrity manifests: which verify, when, and why the others do not.

#![allow(
    clippy::print_stdout,
    reason = "a test may fail, and shows what it looked at"
)]

use crate::support::{at, vectors};
use attestation::{
    nvidia::rim::{Rim, RimError, RimKind, VerifiedRim},
    roots::NvidiaRoots,
};
use std::{
    fs,
    path::{Path, PathBuf},
};

const RIGHT: &str = "";

/// Manifests outside the wheel's folder: file, time, the code of the refusal.
const MANIFESTS: &[(&str, &str, &str)] = &[
    (
        "go-nvattest-tools/rim/NV_GPU_DRIVER_GH100_550.90.07.xml",
        "2025-09-01T00:00:00Z",
        RIGHT,
    ),
    (
        "go-nvattest-tools/rim/NV_GPU_DRIVER_GH100_550.90.07.xml",
        "2024-06-01T02:08:28Z",
        "nvidia.rim.chain.not_yet_valid",
    ),
    (
        "go-nvattest-tools/rim/NV_GPU_DRIVER_GH100_550.90.07.xml",
        "2026-06-01T02:08:30Z",
        "nvidia.rim.chain.expired",
    ),
    (
        "go-nvattest-tools/rim/NV_GPU_VBIOS_1010_0200_882_96009F0001.xml",
        "2025-09-01T00:00:00Z",
        RIGHT,
    ),
    (
        "go-nvattest-tools/rim/success_valid_rim.xml",
        "2025-09-01T00:00:00Z",
        RIGHT,
    ),
    (
        "go-nvattest-tools/rim/valid_signed_xml.xml",
        "2025-09-01T00:00:00Z",
        "nvidia.rim.tag",
    ),
    (
        "nv-attestation-sdk/rims/NV_GPU_DRIVER_GH100_535.86.09_measurement_mismatch.xml",
        "2026-01-01T00:00:00Z",
        "nvidia.rim.digest",
    ),
    (
        "nv-attestation-sdk/rims/NV_GPU_DRIVER_GH100_550.144.03.xml",
        "2026-01-01T00:00:00Z",
        RIGHT,
    ),
    (
        "nv-attestation-sdk/rims/NV_GPU_DRIVER_GH100_570.124.03_expired.xml",
        "2026-01-01T00:00:00Z",
        "nvidia.rim.digest",
    ),
    (
        "nv-attestation-sdk/rims/NV_GPU_VBIOS_1010_0200_882_96005E0001_measurement_mismatch.xml",
        "2025-11-01T00:00:00Z",
        RIGHT,
    ),
    (
        "nv-attestation-sdk/rims/NV_SWITCH_BIOS_5612_0002_890_9610550001_invalid_signature.xml",
        "2025-11-01T00:00:00Z",
        "nvidia.rim.digest",
    ),
    (
        "nv-attestation-sdk/rims/NV_SWITCH_BIOS_5612_0002_890_9610550001_measurement_mismatch.xml",
        "2025-11-01T00:00:00Z",
        "nvidia.rim.digest",
    ),
    (
        "nv-attestation-sdk/rims/incorrect_cert_chain_driver_rim.xml",
        "2026-01-01T00:00:00Z",
        "nvidia.rim.chain.issuer",
    ),
    (
        "nv-attestation-sdk/rims/incorrect_signature_driver_rim.xml",
        "2026-01-01T00:00:00Z",
        "nvidia.rim.signature",
    ),
    (
        "nv-attestation-sdk/rims/switchVBIOSRim_NV_SWITCH_BIOS_5612_0002_890_9610550001.xml",
        "2026-09-01T00:00:00Z",
        RIGHT,
    ),
];

fn verify(xml: &[u8], now: &str) -> Result<VerifiedRim, RimError> {
    Rim::parse(xml)?.verify(&NvidiaRoots::vendor(), at(now))
}

/// The folder of genuine evidence; says so where there is none, as no package of Rust's ships a manifest.
fn folder() -> Option<PathBuf> {
    let folder = vectors();
    if folder.is_none() {
        println!("NARTHEX_VECTORS is not set: no manifest to look at");
    }
    folder
}

fn in_folder(folder: &Path) -> Vec<PathBuf> {
    let entries = fs::read_dir(folder).unwrap();
    let mut paths: Vec<PathBuf> = entries.map(|entry| entry.unwrap().path()).collect();
    paths.sort();
    paths
}

#[test]
fn each_manifest_says_what_its_table_says() {
    let Some(folder) = folder() else { return };
    for (name, now, expected) in MANIFESTS {
        let verdict = verify(&fs::read(folder.join(name)).unwrap(), now);
        let code = verdict.as_ref().map_or_else(RimError::code, |_| RIGHT);
        println!("{code:32} {now} {name}");
        assert_eq!(code, *expected, "{name}: {verdict:?}");
    }
}

#[test]
fn every_manifest_of_the_wheel_verifies() {
    let Some(folder) = folder() else { return };
    let paths = in_folder(&folder.join("nv-local-gpu-verifier"));
    let tags = paths
        .iter()
        .filter(|path| path.extension().is_some_and(|suffix| suffix == "swidtag"));
    let mut seen = 0;
    for path in tags {
        let rim = verify(&fs::read(path).unwrap(), "2024-12-01T00:00:00Z").unwrap();
        assert_eq!(rim.measurements.len(), 64, "{path:?}");
        assert_eq!(rim.certificates.len(), 4, "{path:?}");
        let file = path.file_name().unwrap().to_str().unwrap();
        let kind = match file.starts_with("Driver") {
            true => RimKind::GpuDriver,
            false => RimKind::GpuVbios,
        };
        assert_eq!((rim.kind, rim.name.as_str()), (kind, "GH100"), "{path:?}");
        let digits = rim.version.replace('.', "");
        assert!(
            kind == RimKind::GpuDriver || file.contains(&digits),
            "{path:?}: {}",
            rim.version
        );
        seen += 1;
    }
    assert_eq!(seen, 26);
}

/// What a verifier compares evidence with, spot-checked against the file.
#[test]
fn values_are_read_from_the_signed_tag() {
    let Some(folder) = folder() else { return };
    let xml = fs::read(folder.join(MANIFESTS[0].0)).unwrap();
    let rim = verify(&xml, MANIFESTS[0].1).unwrap();
    assert_eq!(
        (rim.name.as_str(), rim.version.as_str()),
        ("GH100", "550.90.07")
    );
    assert_eq!(rim.kind, RimKind::GpuDriver);
    assert_eq!(rim.window.not_before, at("2024-06-01T02:08:29Z"));
    assert_eq!(rim.window.not_after, at("2026-06-01T02:08:29Z"));
    let active = rim.measurements.iter().filter(|golden| golden.active);
    assert_eq!(active.count(), 21);
    let seventh = &rim.measurements[7];
    assert_eq!(
        (seventh.index, seventh.active, seventh.name.as_str()),
        (7, true, "Measurement_7")
    );
    assert_eq!(hex::encode(&seventh.alternatives[0][..4]), "80161aac");
    let alternatives = rim
        .measurements
        .iter()
        .map(|golden| golden.alternatives.len());
    assert_eq!(alternatives.max(), Some(4));
}

/// No bit of a manifest can be flipped unseen, not even of what its signature does not cover: declaration and comments are none, a tag has one spelling,
/// base64 one encoding, and the root certificate is the pinned one. Every fifth here; every single one was tried when this was written.
#[test]
fn flipping_any_bit_is_refused() {
    let Some(folder) = folder() else { return };
    let mut xml = fs::read(folder.join(MANIFESTS[0].0)).unwrap();
    for bit in (0..xml.len() * 8).step_by(5) {
        xml[bit / 8] ^= 1 << (bit % 8);
        assert!(
            verify(&xml, MANIFESTS[0].1).is_err(),
            "bit {} of byte {}",
            bit % 8,
            bit / 8
        );
        xml[bit / 8] ^= 1 << (bit % 8);
    }
    assert!(verify(&xml, MANIFESTS[0].1).is_ok());
}
