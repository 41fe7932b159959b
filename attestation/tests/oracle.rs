//! Crate `sev` as a second opinion: it accepts what we accept, and some forgeries that we refuse.

use crate::support::{self, Genuine, certificates, report_bytes, vectors};
use sev::{
    certs::snp::{Certificate, Chain, Verifiable as _, builtin::milan, ca},
    firmware::guest::AttestationReport,
    parser::ByteParser as _,
};

/// Whether crate `sev` accepts Milan evidence under its built-in root and this intermediate.
struct Oracle(Chain);

impl Oracle {
    fn new(ask: &[u8], vek: &[u8]) -> Self {
        let ark = milan::ark().unwrap();
        let ask = Certificate::from_der(ask).unwrap();
        let vek = Certificate::from_der(vek).unwrap();
        let ca = ca::Chain { ark, ask };
        Self(Chain { ca, vek })
    }

    fn accepts(&self, report: &[u8]) -> bool {
        let report = AttestationReport::from_bytes(report);
        report.is_ok_and(|report| (&self.0, &report).verify().is_ok())
    }
}

fn built_in_ask() -> Vec<u8> {
    certificates(&support::sev_package().join("tests/certs_data/cert_chain_milan")).remove(0)
}

#[test]
fn both_accept_the_genuine_report() {
    let evidence = Genuine::of_sev_crate();
    let oracle = Oracle::new(&built_in_ask(), &evidence.vek);
    assert!(oracle.accepts(&evidence.report));
    assert!(evidence.verify().is_ok());
}

#[test]
fn both_refuse_a_flipped_measurement() {
    let mut evidence = Genuine::of_sev_crate();
    evidence.report[0x90] ^= 1;
    assert!(!Oracle::new(&built_in_ask(), &evidence.vek).accepts(&evidence.report));
    assert!(evidence.verify().is_err());
}

/// The oracle verifies a re-encoding, which drops the reserved bytes of the four TCB versions: 128 signed bits that anybody may flip.
#[test]
fn what_the_oracle_does_not_see_we_refuse() {
    let mut evidence = Genuine::of_sev_crate();
    let oracle = Oracle::new(&built_in_ask(), &evidence.vek);
    for tcb in [0x038, 0x180, 0x1E0, 0x1F0] {
        for bit in (tcb + 2) * 8..(tcb + 6) * 8 {
            evidence.report[bit / 8] ^= 1 << (bit % 8);
            let unseen = oracle.accepts(&evidence.report);
            assert!(
                unseen,
                "the oracle has been repaired: say so in docs/vectors.md"
            );
            assert!(evidence.verify().is_err(), "bit {bit}");
            evidence.report[bit / 8] ^= 1 << (bit % 8);
        }
    }
}

/// The oracle looks at no dates; the only real VLEK at hand expired in December 2025.
#[test]
fn an_expired_vlek_passes_the_oracle_and_not_us() {
    let Some(folder) = vectors() else {
        return an_expired_vcek_passes_the_oracle_and_not_us();
    };
    let mut evidence = Genuine {
        report: report_bytes(&folder.join("trustee/snp/test-vlek-report.bin")),
        vek: certificates(&folder.join("trustee/snp/test-vlek.der")).remove(0),
        chain: certificates(&folder.join("go-sev-guest/ask_ark_milan_vlek.pem")),
        crls: Vec::new(),
        now: support::at("2025-06-01T00:00:00Z"),
    };
    assert!(evidence.verify().is_ok());
    assert!(Oracle::new(&evidence.chain[0], &evidence.vek).accepts(&evidence.report));
    evidence.now = support::at("2026-06-01T00:00:00Z");
    assert_eq!(evidence.verify().unwrap_err().code(), "snp.chain.expired");
}

fn an_expired_vcek_passes_the_oracle_and_not_us() {
    let mut evidence = Genuine::of_sev_crate();
    evidence.now = support::at("2031-01-01T00:00:00Z");
    assert!(Oracle::new(&built_in_ask(), &evidence.vek).accepts(&evidence.report));
    assert_eq!(evidence.verify().unwrap_err().code(), "snp.chain.expired");
}
