//! SNP: the Milan report that package `sev` ships, with its VCEK and ASK; the peers are that crate's two builds.

use attestation::{
    UnixTime,
    roots::SnpRoots,
    snp::{self, VerifiedVek},
};
use bench::{
    evidence,
    peer::Peer,
    raw::{self, Form, Signed},
    timing::{in_turn, print_ratio},
};
use sev::{
    certs::snp::{Certificate, Chain, Verifiable, builtin::milan, ca},
    firmware::guest::AttestationReport,
    parser::ByteParser,
};
use std::{error::Error, fs, process::Command};

struct Evidence {
    report: Vec<u8>,
    vek: Vec<u8>,
    ask: Vec<u8>,
    ark: Vec<u8>,
}

pub fn bench(sev_rust: &str) -> Result<(), Box<dyn Error>> {
    let folder = evidence::of_package("sev")?.join("tests/certs_data");
    let (report, vek) = (
        folder.join("report_milan.hex"),
        folder.join("vcek_milan.der"),
    );
    let mut sev_rust = Peer::start(Command::new(sev_rust).args([&report, &vek]))?;
    let evidence = Evidence {
        report: hex::decode(fs::read_to_string(report)?.trim())?,
        vek: fs::read(vek)?,
        ask: milan::ask()?.to_der()?,
        ark: milan::ark()?.to_der()?,
    };
    let (roots, now) = (SnpRoots::vendor(), now()?);
    let verified = VerifiedVek::verify(&evidence.vek, &[&evidence.ask], &[], &roots, now)?;
    let signatures = evidence.signatures()?;
    let [cold, warm, limit, one, openssl, rust] = in_turn([
        &mut || evidence.verify(&roots, now),
        &mut || drop(verified.appraise(&evidence.report, now).expect("genuine")),
        &mut || raw::verify(&signatures),
        &mut || raw::verify(&signatures[2..]),
        &mut || evidence.verify_with_sev(),
        &mut sev_rust,
    ]);
    cold.print("snp.cold", "narthex");
    warm.print("snp.warm", "narthex");
    limit.print("", "raw: 2 RSA-4096-PSS and 1 P-384");
    one.print("", "raw: 1 P-384");
    openssl.print("", "sev 8 on OpenSSL, cold");
    rust.print("", "sev 8 in pure Rust, cold");
    print_ratio("snp.cold.vs_sev_openssl", &cold, &openssl);
    print_ratio("snp.cold.vs_sev_rust", &cold, &rust);
    print_ratio("snp.cold.vs_raw", &cold, &limit);
    print_ratio("snp.warm.vs_raw", &warm, &one);
    Ok(())
}

fn now() -> Result<UnixTime, &'static str> {
    UnixTime::from_rfc3339("2026-06-01T00:00:00Z").ok_or("time")
}

impl Evidence {
    fn verify(&self, roots: &SnpRoots, now: UnixTime) {
        let evidence = snp::Evidence {
            report: &self.report,
            vek: &self.vek,
            chain: &[&self.ask],
        };
        snp::verify(&evidence, &[], roots, now).expect("genuine evidence verifies");
    }

    fn verify_with_sev(&self) {
        let certificate = |der: &[u8]| Certificate::from_der(der).expect("genuine certificate");
        let chain = Chain {
            ca: ca::Chain {
                ark: certificate(&self.ark),
                ask: certificate(&self.ask),
            },
            vek: certificate(&self.vek),
        };
        let report = AttestationReport::from_bytes(&self.report).expect("genuine report");
        let verified = (&chain, &report).verify();
        verified.expect("genuine evidence verifies");
    }

    /// Of the ASK, of the VCEK, of the report.
    fn signatures(&self) -> Result<[Signed; 3], Box<dyn Error>> {
        /// Little-endian, each of 72 bytes (AMD 56860 table 23 and chapter 10).
        const SIGNATURE: usize = 0x2a0;
        let integer = |from: usize| self.report[from..from + 48].iter().rev().copied();
        let signature: Vec<u8> = integer(SIGNATURE).chain(integer(SIGNATURE + 72)).collect();
        Ok([
            Signed::x509(&self.ask, &self.ark)?,
            Signed::x509(&self.vek, &self.ask)?,
            Signed::by(
                &self.vek,
                &self.report[..SIGNATURE],
                &signature,
                Form::Fixed,
            )?,
        ])
    }
}
