//! An Azure VM of TDX with an invented Intel, since no collateral of a real one's platform is at hand; and what a real one's evidence says without it.

#![allow(
    clippy::print_stdout,
    clippy::disallowed_methods,
    reason = "a test may fail, and invents its vendor"
)]

use crate::support;
use attestation::{
    ErrorClass, UnixTime, crypto,
    danger::tdx_roots,
    roots::SnpRoots,
    tdx::Collateral,
    vtpm::{
        AzureClaims, AzureError, AzureEvidence, AzureRoots, Endorsements, HardwareClaims,
        HardwareKind, Missing, TpmQuote, steps, verify,
    },
};
use aws_lc_rs::{
    rand::SystemRandom,
    rsa::{KeyPair, KeySize},
    signature::{KeyPair as _, RSA_PKCS1_SHA256},
};
use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use std::{fs, ops::Range};
use tee_sim::tdx::Intel;

/// 2026-06-01T00:00:00Z.
const NOW: UnixTime = UnixTime(1_780_272_000);
/// Offset of the TDREPORT in an HCL report.
const TDREPORT: usize = 32;

/// Evidence as a verifier receives it.
#[derive(Clone)]
struct Vm {
    hcl_report: Vec<u8>,
    td_quote: Vec<u8>,
    collateral: Option<Collateral>,
    roots: AzureRoots,
    message: Vec<u8>,
    signature: Vec<u8>,
}

impl Vm {
    fn invent() -> Self {
        let key = KeyPair::generate(KeySize::Rsa2048).unwrap();
        let n = URL_SAFE_NO_PAD.encode(&key.public_key().as_ref()[9..265]);
        let ak =
            format!(r#"{{"kid":"HCLAkPub","key_ops":["sign"],"kty":"RSA","e":"AQAB","n":"{n}"}}"#);
        let vm =
            r#"{"console-enabled":true,"secure-boot":true,"tpm-enabled":true,"vmUniqueId":"1"}"#;
        let var_data = format!(r#"{{"keys":[{ak}],"vm-configuration":{vm}}}"#);
        let mut report_data = [0; 64];
        report_data[..32].copy_from_slice(&crypto::sha256(var_data.as_bytes()));

        let intel = Intel::invent(NOW);
        let issued = intel.issue(&report_data, NOW);
        let message = message();
        let mut signature = vec![0; 256];
        let random = SystemRandom::new();
        key.sign(&RSA_PKCS1_SHA256, &random, &message, &mut signature)
            .unwrap();
        Self {
            hcl_report: hcl_report(&td_report(&issued.quote), var_data.as_bytes()),
            td_quote: issued.quote,
            collateral: issued.collateral,
            roots: AzureRoots {
                snp: SnpRoots::vendor(),
                tdx: tdx_roots(&issued.root),
            },
            message,
            signature,
        }
    }

    fn verify(&self) -> Result<AzureClaims, AzureError> {
        let evidence = AzureEvidence {
            hcl_report: &self.hcl_report,
            endorsements: Endorsements::Tdx {
                quote: &self.td_quote,
                collateral: self.collateral.as_ref(),
            },
            quote: Some(TpmQuote {
                message: &self.message,
                signature: &self.signature,
                pcrs: None,
            }),
        };
        verify(&evidence, &self.roots, Some(b"challenge"), NOW)
    }
}

/// A TDREPORT over the body of `quote`.
fn td_report(quote: &[u8]) -> [u8; 1184] {
    let start = if quote[0] == 5 { 54 } else { 48 };
    let body = &quote[start..start + 584];
    let mut report = [0; 1184];
    report[0] = 0x81;
    report[16..32].fill(6);
    report[0x80..0xC0].copy_from_slice(&body[520..584]);
    report[0xE0..0x100].fill(0xAC);
    report[264..384].copy_from_slice(&body[..120]);
    report[512..912].copy_from_slice(&body[120..520]);
    hash(&mut report);
    report
}

/// The two hashes of the parts behind REPORTMACSTRUCT.
fn hash(report: &mut [u8]) {
    let hashes = [
        crypto::sha384(&report[256..495]),
        crypto::sha384(&report[512..1024]),
    ];
    report[32..128].copy_from_slice(&hashes.concat());
}

fn hcl_report(td_report: &[u8], var_data: &[u8]) -> Vec<u8> {
    let length = var_data.len() as u32;
    let words = |words: &[u32]| words.iter().flat_map(|word| word.to_le_bytes()).collect();
    let header: Vec<u8> = words(&[2, 1236 + length, 2, 0, 0, 0, 0]);
    let data: Vec<u8> = words(&[20 + length, 1, 4, 1, length]);
    [b"HCLA", &header[..], td_report, &data, var_data].concat()
}

fn message() -> Vec<u8> {
    let clock = [&[0; 16][..], &[1], &[0; 8]].concat();
    let selection = b"\x00\x00\x00\x01\x00\x0B\x03\xFF\xFF\xFF\x00\x20";
    [
        b"\xFFTCG\x80\x18\x00\x22\x00\x0B".as_slice(),
        &[1; 32],
        b"\x00\x09challenge",
        &clock,
        selection,
        &[2; 32],
    ]
    .concat()
}

#[test]
fn a_tdx_vm() {
    let vm = Vm::invent();
    let claims = vm.verify().unwrap();
    let HardwareClaims::Tdx(tdx) = &claims.hardware else {
        panic!("a TDX VM");
    };
    assert_eq!(tdx.td.mr_td, vm.hcl_report[TDREPORT + 528..][..48]);
    assert_eq!(claims.not_after, tdx.not_after);
    assert_eq!(claims.nonce.as_deref(), Some(&b"challenge"[..]));
    let steps = steps(HardwareKind::Tdx);
    let details: Vec<String> = steps.iter().map(|step| claims.detail(step)).collect();
    assert!(
        details
            .iter()
            .any(|detail| detail == "RSASSA with SHA-256 by the AK")
    );
}

#[test]
fn without_collateral_everything_else_is_checked() {
    let mut vm = Vm::invent();
    vm.collateral = None;
    let error = vm.verify().unwrap_err();
    assert_eq!(error, AzureError::Incomplete(Missing::Collateral));
    assert_eq!(
        (error.code(), error.class()),
        ("azure.complete", ErrorClass::Incomplete)
    );
    vm.signature[9] ^= 1;
    assert_eq!(vm.verify().unwrap_err(), AzureError::QuoteSignature);
}

/// What is wrong, the code that tells it, how it is made wrong.
type Fault = (&'static str, &'static str, fn(&mut Vm));

const FAULTS: &[Fault] = &[
    ("TDREPORT of SGX", "azure.td_report", |vm| {
        vm.hcl_report[TDREPORT] = 0
    }),
    ("subtype", "azure.td_report", |vm| {
        vm.hcl_report[TDREPORT + 1] = 1
    }),
    ("version 2", "azure.td_report", |vm| {
        vm.hcl_report[TDREPORT + 2] = 2
    }),
    ("reserved", "azure.td_report", |vm| {
        vm.hcl_report[TDREPORT + 15] = 1
    }),
    ("reserved before the MAC", "azure.td_report", |vm| {
        vm.hcl_report[TDREPORT + 0xDF] = 1
    }),
    ("reserved behind TCB info", "azure.td_report", |vm| {
        vm.hcl_report[TDREPORT + 511] = 1
    }),
    ("TCB info", "azure.td_report", |vm| {
        vm.hcl_report[TDREPORT + 264] ^= 1
    }),
    ("TD info", "azure.td_report", |vm| {
        vm.hcl_report[TDREPORT + 1023] ^= 1
    }),
    ("behind the TDREPORT", "azure.td_report", |vm| {
        vm.hcl_report[TDREPORT + 1183] = 1
    }),
    ("TD quote that is none", "tdx.quote.size", |vm| {
        vm.td_quote.truncate(100)
    }),
    ("TD quote's signature", "tdx.signature", |vm| {
        vm.td_quote[700] ^= 1
    }),
    ("another report data", "azure.td_quote", |vm| {
        vm.hcl_report[TDREPORT + 0x80] ^= 1
    }),
    ("another MRTD, hashed", "azure.td_quote", |vm| {
        vm.hcl_report[TDREPORT + 528] ^= 1;
        hash(&mut vm.hcl_report[TDREPORT..TDREPORT + 1184]);
    }),
    ("another variable data", "azure.binding", |vm| {
        let last = vm.hcl_report.len() - 4;
        vm.hcl_report[last] = b'2';
    }),
    ("another AK's signature", "azure.quote.signature", |vm| {
        vm.signature[0] ^= 1
    }),
];

#[test]
fn faults_of_a_tdx_vm() {
    let genuine = Vm::invent();
    for (fault, expected, make_wrong) in FAULTS {
        let mut vm = genuine.clone();
        make_wrong(&mut vm);
        let error = vm.verify().map(|_| fault).unwrap_err();
        assert_eq!(error.code(), *expected, "{fault}");
        assert_eq!(error.step().map(|step| step.id), Some(*expected), "{fault}");
    }
}

#[test]
fn endorsements_of_snp_are_refused() {
    let vm = Vm::invent();
    let evidence = AzureEvidence {
        hcl_report: &vm.hcl_report,
        endorsements: Endorsements::Snp {
            vek: &[],
            chain: &[],
            crls: &[],
        },
        quote: None,
    };
    let error = verify(&evidence, &vm.roots, None, NOW).unwrap_err();
    assert_eq!(error, AzureError::Endorsements(HardwareKind::Tdx));
}

/// What nobody outside the machine can check, and nothing reads, in bits: CPUSVN, MAC, and whether the version is 0 or 1.
const UNCOVERED: [Range<usize>; 3] = [16 * 8..32 * 8, 0xE0 * 8..0x100 * 8, 2 * 8..2 * 8 + 1];

#[test]
fn flipping_any_other_bit_of_the_tdreport_is_refused() {
    let mut vm = Vm::invent();
    vm.collateral = None;
    for bit in 0..1184 * 8 {
        vm.hcl_report[TDREPORT + bit / 8] ^= 1 << (bit % 8);
        let error = vm.verify().unwrap_err();
        let is_covered = !UNCOVERED.iter().any(|range| range.contains(&bit));
        assert_eq!(
            error.class() != ErrorClass::Incomplete,
            is_covered,
            "bit {bit}"
        );
        vm.hcl_report[TDREPORT + bit / 8] ^= 1 << (bit % 8);
    }
}

/// Its collateral is not at hand; what it carries is right.
#[test]
fn a_real_vm_lacks_nothing_but_collateral() {
    let Some(folder) = support::vectors() else {
        println!("nothing to look at: NARTHEX_VECTORS is not set");
        return;
    };
    let folder = folder.join("trustee/az-tdx-vtpm");
    let document = fs::read(folder.join("evidence-v1.json")).unwrap();
    let document: serde_json::Value = serde_json::from_slice(&document).unwrap();
    let quote = &document["tpm_quote"];
    let bytes = |name: &str| hex::decode(quote[name].as_str().unwrap()).unwrap();
    let mut vm = Vm {
        hcl_report: fs::read(folder.join("hcl-report.bin")).unwrap(),
        td_quote: fs::read(folder.join("td-quote.bin")).unwrap(),
        collateral: None,
        roots: AzureRoots::vendor(),
        message: bytes("message"),
        signature: bytes("signature"),
    };
    assert_eq!(
        vm.verify().unwrap_err(),
        AzureError::Incomplete(Missing::Collateral)
    );
    vm.hcl_report = fs::read(folder.join("../../azure-cvm-tooling/hcl-report-tdx.bin")).unwrap();
    assert_eq!(vm.verify().unwrap_err(), AzureError::TdQuote);
}
