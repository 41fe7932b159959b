//! Genuine reports of every product and source at hand, beyond those that have a case.

use crate::support::{Genuine, at, certificates, vectors};
use attestation::snp::Product;
use serde_json::Value;
use std::{fs, path::Path};

/// Where the SNP report begins in an Azure HCL report.
const HCL_REPORT_OFFSET: usize = 32;

/// What genuine evidence must say: product, version, TCB.
type Expected = (Product, u32, &'static str);

fn genuine() -> Vec<(Genuine, Expected)> {
    let milan = (
        Product::Milan,
        2,
        "bootloader 3, tee 0, snp 8, microcode 115",
    );
    let mut evidence = vec![(Genuine::of_sev_crate(), milan)];
    if let Some(folder) = vectors() {
        evidence.push((
            from_serde(&folder.join("trustee/snp/e2e-evidence.json")),
            (
                Product::Genoa,
                3,
                "bootloader 10, tee 0, snp 23, microcode 25",
            ),
        ));
        let azure = folder.join("trustee/az-snp-vtpm");
        evidence.push((
            from_hcl(
                &azure.join("genoa-hcl-report.bin"),
                &azure.join("vcek-genoa.pem"),
            ),
            (
                Product::Genoa,
                3,
                "bootloader 10, tee 0, snp 23, microcode 84",
            ),
        ));
        evidence.push((
            from_hcl(&azure.join("hcl-report.bin"), &azure.join("vcek.pem")),
            (
                Product::Milan,
                2,
                "bootloader 3, tee 0, snp 8, microcode 115",
            ),
        ));
    }
    evidence
}

#[test]
fn every_genuine_report_is_authentic() {
    for (evidence, (product, version, tcb)) in genuine() {
        let claims = evidence.verify().unwrap();
        assert_eq!((claims.product, claims.version), (product, version));
        assert_eq!(claims.reported_tcb.to_string(), tcb);
        assert!(claims.chip_id.is_some());
    }
}

fn from_hcl(report: &Path, vek: &Path) -> Genuine {
    let report = fs::read(report).unwrap();
    Genuine {
        report: report[HCL_REPORT_OFFSET..][..1184].to_vec(),
        vek: certificates(vek).remove(0),
        now: at("2026-06-01T00:00:00Z"),
        ..Genuine::of_sev_crate()
    }
}

/// Puts a report together again from the JSON that crate `sev` writes, field by field at its offset.
fn from_serde(path: &Path) -> Genuine {
    let json: Value = serde_json::from_slice(&fs::read(path).unwrap()).unwrap();
    let fields = &json["attestation_report"];
    let mut report = vec![0; 1184];
    let mut set = |offset: usize, bytes: &[u8]| {
        report[offset..offset + bytes.len()].copy_from_slice(bytes);
    };
    for (offset, name) in [
        (0x000, "version"),
        (0x004, "guest_svn"),
        (0x030, "vmpl"),
        (0x034, "sig_algo"),
    ] {
        set(offset, &number(&fields[name]).to_le_bytes()[..4]);
    }
    for (offset, name) in [(0x008, "policy"), (0x040, "plat_info"), (0x048, "key_info")] {
        set(offset, &number(&fields[name]).to_le_bytes());
    }
    for (offset, name) in ARRAYS {
        set(offset, &bytes(&fields[name]));
    }
    for (offset, name) in [
        (0x038, "current_tcb"),
        (0x180, "reported_tcb"),
        (0x1E0, "committed_tcb"),
        (0x1F0, "launch_tcb"),
    ] {
        set(offset, &tcb(&fields[name]));
    }
    for (offset, name) in [
        (0x188, "cpuid_fam_id"),
        (0x189, "cpuid_mod_id"),
        (0x18A, "cpuid_step"),
    ] {
        set(offset, &number(&fields[name]).to_le_bytes()[..1]);
    }
    for (offset, name) in [(0x1E8, "current"), (0x1EC, "committed")] {
        let part = |part: &str| number(&fields[name][part]) as u8;
        set(offset, &[part("build"), part("minor"), part("major")]);
    }
    for (offset, name) in [(0x2A0, "r"), (0x2E8, "s")] {
        set(offset, &bytes(&fields["signature"][name]));
    }
    Genuine {
        report,
        vek: bytes(&json["cert_chain"][0]["data"]),
        now: at("2026-06-01T00:00:00Z"),
        ..Genuine::of_sev_crate()
    }
}

const ARRAYS: [(usize, &str); 10] = [
    (0x010, "family_id"),
    (0x020, "image_id"),
    (0x050, "report_data"),
    (0x090, "measurement"),
    (0x0C0, "host_data"),
    (0x0E0, "id_key_digest"),
    (0x110, "author_key_digest"),
    (0x140, "report_id"),
    (0x160, "report_id_ma"),
    (0x1A0, "chip_id"),
];

fn number(value: &Value) -> u64 {
    value.as_u64().unwrap()
}

fn bytes(value: &Value) -> Vec<u8> {
    let items = value.as_array().unwrap();
    items.iter().map(|item| number(item) as u8).collect()
}

fn tcb(value: &Value) -> [u8; 8] {
    let part = |part: &str| number(&value[part]) as u8;
    [
        part("bootloader"),
        part("tee"),
        0,
        0,
        0,
        0,
        part("snp"),
        part("microcode"),
    ]
}
