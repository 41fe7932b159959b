//! Verdicts on genuine evidence: the SNP lines of `CASES.tsv` where there is one, and the evidence of crate `sev` everywhere.

use crate::support::{Genuine, at, certificates, report_bytes, sev_package, vectors};
use attestation::{
    ErrorClass,
    snp::{Product, SigningKey, SnpClaims, SnpError},
};
use std::{
    fs,
    path::{Path, PathBuf},
};

#[test]
fn milan_of_crate_sev_is_authentic() {
    let claims = Genuine::of_sev_crate().verify().unwrap();
    assert_eq!((claims.version, claims.product), (2, Product::Milan));
    assert_eq!(claims.signing_key, SigningKey::Vcek);
    assert_eq!(claims.guest_policy, 0x3_0000);
    assert_eq!(
        claims.reported_tcb.to_string(),
        "bootloader 3, tee 0, snp 8, microcode 115"
    );
    assert!(claims.chip_id.is_some() && !claims.debug);
}

#[test]
fn milan_with_the_chain_as_given_is_the_same() {
    let mut evidence = Genuine::of_sev_crate();
    let built_in = evidence.verify().unwrap();
    evidence.chain = certificates(&sev_package().join("tests/certs_data/cert_chain_milan"));
    assert_eq!(evidence.verify().unwrap(), built_in);
    evidence.chain = certificates(&sev_package().join("tests/certs_data/cert_chain_turin"));
    assert_eq!(evidence.verify().unwrap_err().code(), "snp.chain.issuer");
}

#[test]
fn a_chip_of_another_product_is_refused() {
    let mut evidence = Genuine::of_sev_crate();
    evidence.vek = certificates(&sev_package().join("tests/certs_data/vcek_turin.der")).remove(0);
    let error = evidence.verify().unwrap_err();
    assert_eq!(
        (error.code(), error.class()),
        ("snp.vek.hwid", ErrorClass::Rejected)
    );
}

#[test]
fn milan_is_refused_outside_the_dates_of_its_certificate() {
    let mut evidence = Genuine::of_sev_crate();
    for (time, code) in [
        ("2023-04-03T19:23:42Z", "snp.chain.not_yet_valid"),
        ("2030-04-03T19:23:44Z", "snp.chain.expired"),
    ] {
        evidence.now = at(time);
        assert_eq!(evidence.verify().unwrap_err().code(), code);
    }
}

/// The exit status that the output contract gives a verdict without a policy.
fn exit_status(verdict: &Result<SnpClaims, SnpError>) -> u8 {
    match verdict.as_ref().map_err(SnpError::class) {
        Ok(claims) if claims.debug => 10,
        Ok(_) => 0,
        Err(ErrorClass::Rejected) => 10,
        Err(ErrorClass::Unsupported | ErrorClass::Incomplete) => 20,
        Err(ErrorClass::Malformed) => 30,
    }
}

fn parse_case(folder: &Path, time: &str, command: &str) -> Genuine {
    let words: Vec<&str> = command.split(' ').collect();
    let given = |option: &str| {
        let options = words.windows(2).filter(move |pair| pair[0] == option);
        options.map(|pair| folder.join(pair[1])).collect::<Vec<_>>()
    };
    Genuine {
        report: report_bytes(&given("--report")[0]),
        vek: certificates(&given("--vek")[0]).remove(0),
        chain: given("--chain")
            .iter()
            .flat_map(|path| certificates(path))
            .collect(),
        crls: given("--crl")
            .iter()
            .map(|path| fs::read(path).unwrap())
            .collect(),
        now: at(time),
    }
}

#[test]
fn snp_lines_of_the_table_of_cases() {
    let (folder, table) = cases();
    let mut count = 0;
    for line in table.lines().skip(1) {
        let [exit, time, command, why] = line.split('\t').collect::<Vec<_>>()[..] else {
            panic!("a case has four columns: {line}");
        };
        if !command.starts_with("verify snp ") {
            continue;
        }
        let verdict = parse_case(&folder, time, command).verify();
        let status = exit_status(&verdict);
        assert_eq!(
            status.to_string(),
            exit,
            "{why}: {:?}",
            verdict.map(|_| "authentic")
        );
        count += 1;
    }
    assert!(count >= 8, "only {count} cases in {folder:?}");
}

/// `CASES.tsv` with its folder where `NARTHEX_VECTORS` names one, else our own cases on what crate `sev` ships.
fn cases() -> (PathBuf, String) {
    match vectors() {
        Some(folder) => {
            let table = fs::read_to_string(folder.join("CASES.tsv")).unwrap();
            (folder, table)
        }
        None => {
            let folder = sev_package().join("tests/certs_data");
            (folder, include_str!("sev_cases.tsv").to_owned())
        }
    }
}
