//! No bit of a genuine report can be flipped unseen.

use crate::support::{self, Genuine, report_bytes, vectors};

/// Length of the signed part, in bytes.
const SIGNED_BYTES: usize = 0x2A0;

/// Genuine evidence of every product at hand: a Milan of crate `sev`, and a Turin and a VLEK where `NARTHEX_VECTORS` has them.
fn genuine() -> Vec<Genuine> {
    let mut evidence = vec![Genuine::of_sev_crate()];
    if let Some(folder) = vectors() {
        let load = |report: &str, vek: &str, time: &str| Genuine {
            report: report_bytes(&folder.join(report)),
            vek: std::fs::read(folder.join(vek)).unwrap(),
            now: support::at(time),
            ..Genuine::of_sev_crate()
        };
        evidence.extend([
            load(
                "openanolis-trustee/snp/turin-report.bin",
                "openanolis-trustee/snp/turin-vcek.der",
                "2026-09-01T00:00:00Z",
            ),
            load(
                "trustee/snp/test-vlek-report.bin",
                "trustee/snp/test-vlek.der",
                "2025-06-01T00:00:00Z",
            ),
        ]);
    }
    evidence
}

fn refuses_flipped_bits(original: &Genuine, step: usize) {
    assert!(original.verify().is_ok());
    let mut evidence = original.clone();
    for bit in (0..evidence.report.len() * 8).step_by(step) {
        evidence.report[bit / 8] ^= 1 << (bit % 8);
        let refused = evidence.verify().is_err();
        evidence.report[bit / 8] ^= 1 << (bit % 8);
        let part = if bit / 8 < SIGNED_BYTES {
            "signed part"
        } else {
            "signature"
        };
        assert!(refused, "bit {bit} of the {part} at {:#x}", bit / 8);
    }
    assert_eq!(evidence.report, original.report);
}

#[test]
fn flipping_any_bit_of_a_report_is_refused() {
    refuses_flipped_bits(&Genuine::of_sev_crate(), 1);
}

/// A whole verification takes a third of a millisecond: of further reports, every eleventh bit.
#[test]
fn flipping_bits_of_other_products_reports_is_refused() {
    for original in genuine() {
        refuses_flipped_bits(&original, 11);
    }
}

#[test]
fn flipping_a_bit_of_the_certificate_is_refused() {
    for original in genuine() {
        let mut evidence = original.clone();
        for bit in (0..evidence.vek.len() * 8).step_by(17) {
            evidence.vek[bit / 8] ^= 1 << (bit % 8);
            assert!(evidence.verify().is_err(), "bit {bit} of the certificate");
            evidence.vek[bit / 8] ^= 1 << (bit % 8);
        }
    }
}
