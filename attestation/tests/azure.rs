//! Evidence of real Azure confidential VMs.

#![allow(
    clippy::print_stdout,
    reason = "a test may fail, and says when it had nothing to look at"
)]

use crate::support::{self, at, certificates};
use attestation::{
    ErrorClass,
    snp::Product,
    vtpm::{
        AzureClaims, AzureError, AzureEvidence, AzureRoots, Endorsements, HardwareClaims,
        HardwareKind, Missing, TpmQuote, verify,
    },
};
use base64::{
    Engine as _,
    engine::general_purpose::{STANDARD, URL_SAFE},
};
use serde_json::Value;
use std::{fs, path::PathBuf};

/// Offset of the variable data in an HCL report.
const VAR_DATA: usize = 32 + 1184 + 20;

/// The folder of real evidence; no package ships any of Azure.
fn vectors() -> Option<PathBuf> {
    let folder = support::vectors();
    if folder.is_none() {
        println!("nothing to look at: NARTHEX_VECTORS is not set");
    }
    folder
}

#[derive(Clone)]
struct Genuine {
    hcl_report: Vec<u8>,
    vek: Option<Vec<u8>>,
    message: Vec<u8>,
    signature: Vec<u8>,
    pcrs: Vec<[u8; 32]>,
    nonce: Option<Vec<u8>>,
}

impl Genuine {
    /// The evidence format of another verifier, in each of its versions: lists of numbers, hexadecimal or base64.
    fn load(file: &str) -> Option<Self> {
        let path = vectors()?.join("trustee").join(file);
        let document: Value = serde_json::from_slice(&fs::read(path).unwrap()).unwrap();
        let member = |names: [&str; 2]| {
            let mut names = names.iter();
            names.find_map(|name| document.get(name)).unwrap()
        };
        let quote = member(["tpm_quote", "quote"]);
        let pcrs = quote["pcrs"].as_array().unwrap().iter();
        Some(Self {
            hcl_report: bytes(member(["hcl_report", "report"])),
            vek: document.get("vcek").map(bytes),
            message: bytes(&quote["message"]),
            signature: bytes(&quote["signature"]),
            pcrs: pcrs.map(|pcr| bytes(pcr).try_into().unwrap()).collect(),
            nonce: Some(b"challenge".to_vec()),
        })
    }

    fn verify(&self) -> Result<AzureClaims, AzureError> {
        let endorsements = match &self.vek {
            None => Endorsements::Missing,
            Some(vek) => Endorsements::Snp {
                vek,
                chain: &[],
                crls: &[],
            },
        };
        let quote = TpmQuote {
            message: &self.message,
            signature: &self.signature,
            pcrs: Some(&self.pcrs),
        };
        let evidence = AzureEvidence {
            hcl_report: &self.hcl_report,
            endorsements,
            quote: Some(quote),
        };
        let now = at("2026-06-01T00:00:00Z");
        verify(&evidence, &AzureRoots::vendor(), self.nonce.as_deref(), now)
    }
}

fn bytes(value: &Value) -> Vec<u8> {
    if let Some(numbers) = value.as_array() {
        return numbers
            .iter()
            .map(|number| number.as_u64().unwrap() as u8)
            .collect();
    }
    let text = value.as_str().unwrap();
    if let Some(pem) = text.strip_prefix("-----BEGIN CERTIFICATE-----") {
        let base64: String = pem[..pem.find('-').unwrap()].split_whitespace().collect();
        return STANDARD.decode(base64).unwrap();
    }
    hex::decode(text).unwrap_or_else(|_| URL_SAFE.decode(text).unwrap())
}

const SNP: [(&str, Product); 4] = [
    ("az-snp-vtpm/evidence-v0.json", Product::Milan),
    ("az-snp-vtpm/evidence-v1.json", Product::Milan),
    ("az-snp-vtpm/evidence-v2.json", Product::Milan),
    ("az-snp-vtpm/evidence-genoa.json", Product::Genoa),
];

/// Two were made for the nonce "challenge"; the others answer what they carry.
#[test]
fn snp_vms_are_authentic() {
    for (file, expected) in SNP {
        let Some(mut evidence) = Genuine::load(file) else {
            return;
        };
        let is_challenge = file.contains("-v0") || file.contains("-v1");
        if !is_challenge {
            assert_eq!(evidence.verify().unwrap_err(), AzureError::Nonce, "{file}");
            evidence.nonce = None;
        }
        let claims = evidence
            .verify()
            .unwrap_or_else(|error| panic!("{file}: {error}"));
        let HardwareClaims::Snp(snp) = &claims.hardware else {
            panic!("{file}")
        };
        assert_eq!(
            (snp.product, snp.vmpl, snp.debug),
            (expected, 0, false),
            "{file}"
        );
        assert!(claims.vm_configuration.secure_boot, "{file}");
        assert_eq!(claims.quote.selection, (0..24).collect::<Vec<u8>>());
        assert_eq!(claims.quote.pcrs.as_ref().map(Vec::len), Some(24));
    }
}

/// The guest put the same nonce into its user-data before the report was made.
#[test]
fn user_data_is_told() {
    let Some(mut evidence) = Genuine::load("az-snp-vtpm/evidence-v2.json") else {
        return;
    };
    evidence.nonce = None;
    let claims = evidence.verify().unwrap();
    let nonce = &claims.quote.extra_data;
    assert_eq!(nonce.len(), 48);
    assert_eq!(claims.user_data.unwrap()[..48], nonce[..]);
}

#[test]
fn without_a_vcek_the_rest_is_checked_and_the_verdict_incomplete() {
    let Some(mut evidence) = Genuine::load("az-snp-vtpm/evidence-v1.json") else {
        return;
    };
    evidence.vek = None;
    let error = evidence.verify().unwrap_err();
    assert_eq!(error, AzureError::Incomplete(Missing::Endorsements));
    assert_eq!(error.class(), ErrorClass::Incomplete);
    evidence.pcrs.swap(0, 1);
    assert_eq!(evidence.verify().unwrap_err(), AzureError::PcrDigest);
}

#[test]
fn quotes_of_other_vms_are_refused() {
    let Some(mut evidence) = Genuine::load("az-snp-vtpm/evidence-v1.json") else {
        return;
    };
    let other = Genuine::load("az-snp-vtpm/evidence-v2.json").unwrap();
    evidence.message = other.message;
    evidence.signature = other.signature;
    assert_eq!(evidence.verify().unwrap_err(), AzureError::QuoteSignature);
}

/// Every file that holds nothing but an HCL report is one, and binds its variable data.
#[test]
fn hcl_reports_bind_their_variable_data() {
    let Some(folder) = vectors() else { return };
    for (file, kind) in [
        ("azure-cvm-tooling/hcl-report-snp.bin", HardwareKind::Snp),
        ("azure-cvm-tooling/hcl-report-tdx.bin", HardwareKind::Tdx),
        ("trustee/az-snp-vtpm/hcl-report.bin", HardwareKind::Snp),
        (
            "trustee/az-snp-vtpm/genoa-hcl-report.bin",
            HardwareKind::Snp,
        ),
        ("trustee/az-tdx-vtpm/hcl-report.bin", HardwareKind::Tdx),
    ] {
        let hcl_report = fs::read(folder.join(file)).unwrap();
        assert_eq!(HardwareKind::of(&hcl_report), Some(kind), "{file}");
        let evidence = AzureEvidence {
            hcl_report: &hcl_report,
            endorsements: Endorsements::Missing,
            quote: None,
        };
        let now = at("2026-06-01T00:00:00Z");
        let error = verify(&evidence, &AzureRoots::vendor(), None, now).unwrap_err();
        assert_eq!(
            error,
            AzureError::Incomplete(Missing::Endorsements),
            "{file}"
        );
    }
}

#[test]
fn the_report_alone_with_its_vcek_lacks_a_quote() {
    let Some(folder) = vectors() else { return };
    let folder = folder.join("trustee/az-snp-vtpm");
    let hcl_report = fs::read(folder.join("hcl-report.bin")).unwrap();
    let vek = certificates(&folder.join("vcek.pem"));
    let chain: Vec<&[u8]> = vek[1..].iter().map(Vec::as_slice).collect();
    let evidence = AzureEvidence {
        hcl_report: &hcl_report,
        endorsements: Endorsements::Snp {
            vek: &vek[0],
            chain: &chain,
            crls: &[],
        },
        quote: None,
    };
    let now = at("2026-06-01T00:00:00Z");
    let error = verify(&evidence, &AzureRoots::vendor(), None, now).unwrap_err();
    assert_eq!(error, AzureError::Incomplete(Missing::Quote));
}

fn refuses_flipped_bits(evidence: &mut Genuine, part: fn(&mut Genuine) -> &mut [u8]) {
    assert!(evidence.verify().is_ok());
    for bit in 0..part(evidence).len() * 8 {
        part(evidence)[bit / 8] ^= 1 << (bit % 8);
        assert!(evidence.verify().is_err(), "bit {bit}");
        part(evidence)[bit / 8] ^= 1 << (bit % 8);
    }
}

/// The nonce is not given, so that a bit of extraData too is the signature's to notice.
fn without_nonce() -> Option<Genuine> {
    let mut evidence = Genuine::load("az-snp-vtpm/evidence-v1.json")?;
    evidence.nonce = None;
    Some(evidence)
}

#[test]
fn flipping_any_bit_of_a_quote_is_refused() {
    let Some(mut evidence) = without_nonce() else {
        return;
    };
    refuses_flipped_bits(&mut evidence, |evidence| &mut evidence.message);
    refuses_flipped_bits(&mut evidence, |evidence| &mut evidence.signature);
}

#[test]
fn flipping_any_bit_of_the_pcrs_is_refused() {
    let Some(mut evidence) = without_nonce() else {
        return;
    };
    refuses_flipped_bits(&mut evidence, |evidence| evidence.pcrs.as_flattened_mut());
}

#[test]
fn flipping_any_bit_of_the_hcl_report_is_refused() {
    let Some(mut evidence) = without_nonce() else {
        return;
    };
    refuses_flipped_bits(&mut evidence, |evidence| &mut evidence.hcl_report);
}

#[test]
fn the_variable_data_lies_where_the_flips_reach_it() {
    let Some(evidence) = without_nonce() else {
        return;
    };
    assert!(evidence.hcl_report[VAR_DATA..].starts_with(b"{\"keys\":["));
}
