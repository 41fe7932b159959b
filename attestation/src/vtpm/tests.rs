//! Every step refuses evidence that is wrong in one point and right, and signed, in all others.

mod genuine;

use super::{
    AzureClaims, AzureError, AzureEvidence, AzureRoots, Endorsements, HardwareClaims, HardwareKind,
    Missing, STATEMENTS, steps, verify,
};
use crate::{ErrorClass, UnixTime, crypto, snp::STEPS as SNP_STEPS};
use genuine::{Draft, Issued, NONCE, PCR_COUNT, var_data};
use std::collections::BTreeSet;

type Fault<T> = (&'static str, &'static str, fn(&mut T));

#[test]
fn an_snp_vm() {
    let claims = Draft::genuine().issue().verify().unwrap();
    let HardwareClaims::Snp(snp) = &claims.hardware else {
        panic!("an SNP VM");
    };
    assert_eq!((snp.vmpl, snp.measurement), (0, [0x5A; 48]));
    assert_eq!(claims.nonce.as_deref(), Some(NONCE));
    assert_eq!(claims.quote.extra_data, NONCE);
    assert_eq!((claims.quote.clock_ms, claims.quote.reset_count), (7000, 3));
    assert_eq!(claims.user_data, Some([0xAB; 64]));
    assert!(claims.vm_configuration.secure_boot && claims.vm_configuration.tpm_enabled);
    assert_eq!(claims.vm_configuration.tpm_persisted, Some(false));
    let pcrs = claims.quote.pcrs.unwrap();
    assert_eq!(pcrs.len(), PCR_COUNT);
    assert!(pcrs.iter().all(|pcr| pcr.value == [pcr.index; 32]));
    assert_eq!(claims.not_after, snp.not_after);
    assert!(STATEMENTS[0].contains("nonce rides the TPM quote"));
}

#[test]
fn the_signature_may_be_wrapped() {
    let mut issued = Draft::genuine().issue();
    issued.signature = [&[0x00, 0x14, 0x00, 0x0B, 0x01, 0x00][..], &issued.signature].concat();
    issued.verify().unwrap();
}

#[test]
fn pcrs_are_numbered_by_the_selection() {
    let values = vec![[1; 32], [7; 32], [16; 32]];
    let mut draft = Draft::genuine();
    draft.selection = [0b1000_0010, 0, 1];
    draft.pcr_digest = crypto::sha256(&values.concat());
    let mut issued = draft.issue();
    assert_eq!(issued.verify().unwrap_err().code(), "azure.pcrs.count");
    issued.pcrs = Some(values);
    let claims = issued.verify().unwrap();
    assert_eq!(claims.quote.selection, [1, 7, 16]);
    let indices: Vec<u8> = claims
        .quote
        .pcrs
        .iter()
        .flatten()
        .map(|pcr| pcr.index)
        .collect();
    assert_eq!(indices, [1, 7, 16]);
}

#[test]
fn what_was_not_given_is_told_last() {
    let mut issued = Draft::genuine().issue();
    issued.pcrs = None;
    issued.nonce = None;
    let claims: AzureClaims = issued.verify().unwrap();
    assert_eq!((claims.nonce, claims.quote.pcrs), (None, None));

    issued.without_quote = true;
    let error = issued.verify().unwrap_err();
    assert_eq!(error, AzureError::Incomplete(Missing::Quote));
    assert_eq!(
        (error.code(), error.class()),
        ("azure.complete", ErrorClass::Incomplete)
    );

    let mut issued = Draft::genuine().issue();
    issued.without_endorsements = true;
    let error = issued.verify().unwrap_err();
    assert_eq!(error, AzureError::Incomplete(Missing::Endorsements));
    issued.signature[0] ^= 1;
    assert_eq!(issued.verify().unwrap_err(), AzureError::QuoteSignature);
}

/// Wrong before anything is signed.
const BEFORE_SIGNING: &[Fault<Draft>] = &[
    ("hash of nothing", "azure.hcl.hash", |draft| {
        draft.hash_type = 2
    }),
    ("type VBS", "azure.hcl.type", |draft| draft.kind = 3),
    ("type of no name", "azure.hcl.type", |draft| draft.kind = 0),
    ("no JSON", "azure.var_data", |draft| {
        draft.var_data = "{".into()
    }),
    ("trailing bytes", "azure.var_data", |draft| {
        draft.var_data.push('x')
    }),
    ("no configuration", "azure.var_data", |draft| {
        draft.var_data = r#"{"keys":[]}"#.into()
    }),
    ("another member", "azure.var_data", |draft| {
        draft.replace("\"user-data\"", "\"user-date\"")
    }),
    ("keys twice", "azure.var_data", |draft| {
        draft.replace("{\"keys\":", "{\"keys\":[],\"keys\":")
    }),
    ("secure-boot twice", "azure.var_data", |draft| {
        draft.replace(
            "\"secure-boot\":true",
            "\"secure-boot\":false,\"secure-boot\":true",
        );
    }),
    ("secure-boot as text", "azure.var_data", |draft| {
        draft.replace("\"secure-boot\":true", "\"secure-boot\":\"true\"")
    }),
    ("short user-data", "azure.var_data", |draft| {
        draft.replace("ABAB", "AB")
    }),
    ("user-data with a sign", "azure.var_data", |draft| {
        draft.replace("ABAB", "+BAB")
    }),
    ("no AK", "azure.ak", |draft| {
        draft.replace("HCLAkPub", "HCLFkPub")
    }),
    ("two AKs", "azure.ak", |draft| {
        draft.replace("HCLEkPub", "HCLAkPub")
    }),
    ("AK of another type", "azure.ak", |draft| {
        draft.replace("\"RSA\"", "\"EC\"")
    }),
    ("AK for wrapping", "azure.ak", |draft| {
        draft.replace("\"sign\"", "\"wrapKey\"")
    }),
    ("exponent 3", "azure.ak", |draft| {
        draft.replace("AQAB", "Aw")
    }),
    ("AK of 1024 bits", "azure.ak", |draft| {
        draft.var_data = var_data(&[0x80; 128])
    }),
    ("AK of 2047 bits", "azure.ak", |draft| {
        draft.var_data = var_data(&[0x7F; 256])
    }),
    ("AK in base64", "azure.ak", |draft| {
        draft.replace("\"n\":\"", "\"n\":\"+")
    }),
    ("magic", "azure.quote.format", |draft| {
        draft.magic = 0xFF54_4348
    }),
    ("a certification", "azure.quote.format", |draft| {
        draft.attest_type = 0x8017
    }),
    ("name of SHA-384", "azure.quote.format", |draft| {
        draft.signer = vec![0; 50]
    }),
    ("extra data too long", "azure.quote.format", |draft| {
        draft.extra_data = vec![0; 67]
    }),
    ("neither safe nor not", "azure.quote.format", |draft| {
        draft.safe = 2
    }),
    ("no PCR", "azure.quote.format", |draft| {
        draft.selection = [0; 3]
    }),
    ("two banks", "azure.quote.format", |draft| draft.banks = 2),
    (
        "trailing byte in the quote",
        "azure.quote.format",
        |draft| draft.trailing = 1,
    ),
    ("bank of SHA-1", "azure.quote.bank", |draft| draft.bank = 4),
    ("debug of the chain's TCB", "snp.vek.tcb", |draft| {
        draft.snp.report[0x180] ^= 1
    }),
    ("a guest's own report", "azure.vmpl", |draft| {
        draft.snp.report[0x30] = 2
    }),
    ("report_data of other data", "azure.binding", |draft| {
        draft.edit_report_data = |data| data[0] ^= 1
    }),
    (
        "something in the rest of report_data",
        "azure.binding",
        |draft| draft.edit_report_data = |data| data[63] = 1,
    ),
    ("report_data of zeros", "azure.binding", |draft| {
        draft.edit_report_data = |data| data.fill(0)
    }),
    ("another AK", "azure.quote.signature", |draft| {
        draft.var_data = var_data(&[0xEE; 256])
    }),
    ("another PCR digest", "azure.quote.pcrs", |draft| {
        draft.pcr_digest[31] ^= 1
    }),
];

/// Wrong on the way to the verifier.
const AFTER_SIGNING: &[Fault<Issued>] = &[
    ("too large", "azure.hcl.size", |issued| {
        issued.hcl_report.resize(16 * 1024 + 1, 0)
    }),
    ("signature", "azure.hcl.header", |issued| {
        issued.hcl_report[3] = b'B'
    }),
    ("version 0", "azure.hcl.header", |issued| {
        issued.hcl_report[4] = 0
    }),
    ("version 3", "azure.hcl.header", |issued| {
        issued.hcl_report[4] = 3
    }),
    ("a request for keys", "azure.hcl.header", |issued| {
        issued.hcl_report[12] = 1
    }),
    ("a status", "azure.hcl.header", |issued| {
        issued.hcl_report[16] = 1
    }),
    ("reserved", "azure.hcl.header", |issued| {
        issued.hcl_report[31] = 1
    }),
    ("data version", "azure.hcl.header", |issued| {
        issued.hcl_report[1220] = 2
    }),
    ("nothing", "azure.hcl.header", |issued| {
        issued.hcl_report.clear()
    }),
    ("cut in the header", "azure.hcl.header", |issued| {
        issued.hcl_report.truncate(31)
    }),
    ("cut in the report", "azure.hcl.header", |issued| {
        issued.hcl_report.truncate(1000)
    }),
    ("cut in the data header", "azure.hcl.header", |issued| {
        issued.hcl_report.truncate(1230)
    }),
    ("cut in the data", "azure.hcl.var_data", |issued| {
        issued.hcl_report.truncate(1500)
    }),
    ("report size", "azure.hcl.var_data", |issued| {
        issued.hcl_report[8] ^= 1
    }),
    ("data size", "azure.hcl.var_data", |issued| {
        issued.hcl_report[1216] ^= 1
    }),
    ("variable data size", "azure.hcl.var_data", |issued| {
        issued.hcl_report[1232] ^= 1
    }),
    ("padding", "azure.hcl.var_data", |issued| {
        issued.hcl_report.push(1)
    }),
    ("no signature", "azure.quote.signature_format", |issued| {
        issued.signature.clear()
    }),
    ("wrapped as PSS", "azure.quote.signature_format", |issued| {
        issued.signature = [&[0x00, 0x16, 0x00, 0x0B, 0x01, 0x00][..], &issued.signature].concat();
    }),
    (
        "wrapped and a byte more",
        "azure.quote.signature_format",
        |issued| {
            issued.signature = [
                &[0x00, 0x14, 0x00, 0x0B, 0x01, 0x00][..],
                &issued.signature,
                &[0],
            ]
            .concat();
        },
    ),
    ("a PCR less", "azure.pcrs.count", |issued| {
        issued.pcrs.as_mut().unwrap().truncate(23)
    }),
    ("a PCR more", "azure.pcrs.count", |issued| {
        issued.pcrs.as_mut().unwrap().push([0; 32])
    }),
    ("no VCEK", "snp.vek.format", |issued| issued.snp.vek.clear()),
    ("the report's signature", "snp.signature", |issued| {
        issued.hcl_report[32 + 0x2A0] ^= 1
    }),
    ("the variable data", "azure.binding", |issued| {
        let id = issued
            .hcl_report
            .windows(4)
            .position(|window| window == b"VM-1")
            .unwrap();
        issued.hcl_report[id + 3] = b'2';
    }),
    ("the quote's signature", "azure.quote.signature", |issued| {
        issued.signature[255] ^= 1
    }),
    ("another nonce", "azure.quote.nonce", |issued| {
        issued.nonce = Some(b"other".to_vec())
    }),
    ("an empty nonce", "azure.quote.nonce", |issued| {
        issued.nonce = Some(Vec::new())
    }),
    ("the nonce and more", "azure.quote.nonce", |issued| {
        issued.nonce = Some([NONCE, &[0]].concat());
    }),
    ("another PCR", "azure.quote.pcrs", |issued| {
        issued.pcrs.as_mut().unwrap()[23][0] ^= 1
    }),
    ("PCRs in another order", "azure.quote.pcrs", |issued| {
        issued.pcrs.as_mut().unwrap().reverse()
    }),
    ("no quote", "azure.complete", |issued| {
        issued.without_quote = true
    }),
];

#[test]
fn every_fault_before_signing_is_refused_at_its_step() {
    for (fault, expected, make_wrong) in BEFORE_SIGNING {
        let mut draft = Draft::genuine();
        make_wrong(&mut draft);
        let refusal = draft.issue().verify().map(|_| fault);
        assert_eq!(refusal.unwrap_err().code(), *expected, "{fault}");
    }
}

#[test]
fn every_fault_after_signing_is_refused_at_its_step() {
    for (fault, expected, make_wrong) in AFTER_SIGNING {
        let mut issued = Draft::genuine().issue();
        make_wrong(&mut issued);
        let refusal = issued.verify().map(|_| fault);
        let error = refusal.unwrap_err();
        assert_eq!(error.code(), *expected, "{fault}");
        assert_eq!(error.step().map(|step| step.id), Some(*expected), "{fault}");
    }
}

/// Endorsements of another kind have a test of their own.
#[test]
fn every_step_has_a_fault() {
    let before = BEFORE_SIGNING.iter().map(|(_, code, _)| *code);
    let tried: BTreeSet<_> = before
        .chain(AFTER_SIGNING.iter().map(|(_, code, _)| *code))
        .filter(|code| code.starts_with("azure."))
        .collect();
    let steps = steps(HardwareKind::Snp);
    let ours: BTreeSet<_> = steps
        .iter()
        .map(|step| step.id)
        .filter(|id| id.starts_with("azure.") && *id != "azure.endorsements")
        .collect();
    assert_eq!(tried, ours);
    assert_eq!(steps.len(), ours.len() + 1 + SNP_STEPS.len());
}

#[test]
fn a_quote_cut_anywhere_is_malformed() {
    let mut issued = Draft::genuine().issue();
    let message = issued.message.clone();
    for length in 0..message.len() {
        issued.message = message[..length].to_vec();
        let error = issued.verify().unwrap_err();
        assert!(
            matches!(
                error.class(),
                ErrorClass::Malformed | ErrorClass::Unsupported
            ),
            "{length}: {error}"
        );
    }
}

#[test]
fn a_key_for_encryption_is_an_ak_of_early_2023() {
    let mut draft = Draft::genuine();
    draft.replace("\"sign\"", "\"encrypt\"");
    draft.issue().verify().unwrap();
}

#[test]
fn claims_that_are_not_known_are_left_out() {
    let mut draft = Draft::genuine();
    draft.replace(
        "\"secure-boot\":true",
        "\"secure-boot\":true,\"new\":{\"a\":1}",
    );
    draft.issue().verify().unwrap();
}

#[test]
fn endorsements_of_another_kind_are_refused() {
    let issued = Draft::genuine().issue();
    let evidence = AzureEvidence {
        hcl_report: &issued.hcl_report,
        endorsements: Endorsements::Tdx {
            quote: &[],
            collateral: None,
        },
        quote: None,
    };
    let error = verify(&evidence, &AzureRoots::vendor(), None, UnixTime(0)).unwrap_err();
    assert_eq!(error, AzureError::Endorsements(HardwareKind::Snp));
    assert_eq!(
        (error.code(), error.class()),
        ("azure.endorsements", ErrorClass::Rejected)
    );
}
