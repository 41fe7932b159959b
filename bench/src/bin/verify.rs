//! Cold verification of one real SNP report with its chain: parsing, two RSA-4096 signatures, one P-384 signature; against crate `sev` on OpenSSL.

use attestation::{UnixTime, roots::SnpRoots, snp};
use sev::{
    certs::snp::{Certificate, Chain, Verifiable, builtin::milan, ca},
    firmware::guest::AttestationReport,
    parser::ByteParser,
};
use std::{error::Error, fs, path::PathBuf, process::Command};

fn main() -> Result<(), Box<dyn Error>> {
    let folder = sev_package()?.join("tests/certs_data");
    let report = hex::decode(fs::read_to_string(folder.join("report_milan.hex"))?.trim())?;
    let vek = fs::read(folder.join("vcek_milan.der"))?;
    let (ark, ask) = (milan::ark()?.to_der()?, milan::ask()?.to_der()?);
    let now = UnixTime::from_rfc3339("2026-06-01T00:00:00Z").ok_or("time")?;
    let roots = SnpRoots::vendor();

    let ours = || {
        let evidence = snp::Evidence {
            report: &report,
            vek: &vek,
            chain: &[&ask],
        };
        snp::verify(&evidence, &[], &roots, now).expect("genuine evidence verifies");
    };
    let theirs = || {
        let certificate = |der: &[u8]| Certificate::from_der(der).expect("genuine certificate");
        let chain = Chain {
            ca: ca::Chain {
                ark: certificate(&ark),
                ask: certificate(&ask),
            },
            vek: certificate(&vek),
        };
        let report = AttestationReport::from_bytes(&report).expect("genuine report");
        (&chain, &report)
            .verify()
            .expect("genuine evidence verifies");
    };
    let (us, peer) = bench::in_turn(ours, theirs);
    println!(
        "snp.cold: narthex {:.0} per s, sev 8 with OpenSSL {:.0} per s, one thread",
        1.0 / us,
        1.0 / peer
    );
    bench::print_ratio("snp.cold.vs_sev_openssl", us, peer);
    Ok(())
}

/// Where cargo keeps the package of `sev`, whose test data are real evidence.
fn sev_package() -> Result<PathBuf, Box<dyn Error>> {
    let manifest = concat!(env!("CARGO_MANIFEST_DIR"), "/Cargo.toml");
    let out = Command::new("cargo")
        .args([
            "metadata",
            "--format-version",
            "1",
            "--locked",
            "--manifest-path",
            manifest,
        ])
        .output()?;
    let metadata: serde_json::Value = serde_json::from_slice(&out.stdout)?;
    let packages = metadata["packages"]
        .as_array()
        .ok_or("cargo metadata names no packages")?;
    let sev = packages
        .iter()
        .find(|p| p["name"] == "sev")
        .ok_or("sev is not among the packages")?;
    let manifest = PathBuf::from(
        sev["manifest_path"]
            .as_str()
            .ok_or("sev has no manifest path")?,
    );
    Ok(manifest.parent().ok_or("sev has no folder")?.to_owned())
}
