//! Every step refuses evidence that is wrong in one point and right, and signed, in all others.

mod der;
mod faults;
pub(crate) mod genuine;
mod pki;
mod warm;

use super::{Product, STEPS, SigningKey, SnpError};
use crate::ErrorClass;
use crate::UnixTime;
use faults::{AFTER_SIGNING, BEFORE_SIGNING};
use genuine::{Draft, NOW};
use std::collections::BTreeSet;

#[test]
fn a_vcek_of_milan() {
    let claims = Draft::genuine().issue().verify().unwrap();
    assert_eq!((claims.version, claims.product), (5, Product::Milan));
    assert_eq!(claims.signing_key, SigningKey::Vcek);
    assert_eq!(claims.chip_id, Some([0xC1; 64]));
    assert_eq!(claims.report_data, [0xDA; 64]);
    assert_eq!(claims.measurement, [0x5A; 48]);
    assert_eq!(
        claims.reported_tcb.to_string(),
        "bootloader 4, tee 0, snp 24, microcode 213"
    );
    assert_eq!(
        (claims.launch_mit_vector, claims.current_mit_vector),
        (Some(0x3F), Some(0x7F))
    );
    assert!(!claims.debug);
    assert_eq!(
        claims.crl_next_update,
        UnixTime::from_rfc3339("2027-01-01T00:00:00Z")
    );
    assert_eq!(Some(claims.not_after), claims.crl_next_update);
}

#[test]
fn a_vlek_names_a_provider_and_no_chip() {
    let claims = Draft::with_vlek().issue().verify().unwrap();
    assert_eq!(claims.signing_key, SigningKey::Vlek);
    assert_eq!(claims.csp_id.as_deref(), Some("CN=cloud.example"));
    assert_eq!(claims.chip_id, None);
}

#[test]
fn a_vcek_of_turin() {
    let claims = Draft::of_turin().issue().verify().unwrap();
    assert_eq!(claims.product, Product::Turin);
    assert_eq!(claims.reported_tcb.fmc, Some(1));
    assert_eq!(claims.reported_tcb.snp, 24);
}

#[test]
fn reports_of_version_2_to_4_have_no_mitigation_vectors() {
    for version in 2..=4 {
        let mut draft = Draft::genuine();
        draft.report[0] = version;
        draft.report[0x1F8..0x208].fill(0);
        if version == 2 {
            draft.report[0x188..0x18B].fill(0);
        }
        let claims = draft.issue().verify().unwrap();
        assert_eq!(claims.version, u32::from(version));
        assert_eq!(
            (claims.launch_mit_vector, claims.current_mit_vector),
            (None, None)
        );
    }
}

#[test]
fn a_debug_guest_is_authentic_and_says_so() {
    let mut draft = Draft::genuine();
    draft.report[0x0A] |= 1 << 3;
    assert!(draft.issue().verify().unwrap().debug);
}

#[test]
fn the_chain_may_be_left_out_or_hold_the_root_too() {
    let mut issued = Draft::genuine().issue();
    issued.chain.push(issued.ark.clone());
    assert!(issued.verify().is_ok());
    issued.chain.clear();
    assert!(issued.verify().is_ok());
}

#[test]
fn without_lists_revocation_is_not_checked_and_the_claims_say_so() {
    let mut issued = Draft::genuine().issue();
    issued.crls.clear();
    let claims = issued.verify().unwrap();
    assert_eq!(claims.crl_next_update, None);
    assert_eq!(
        Some(claims.not_after),
        UnixTime::from_rfc3339("2045-01-01T00:00:00Z")
    );
}

#[test]
fn hwid_may_be_wrapped_in_an_octet_string() {
    let mut draft = Draft::genuine();
    let hwid = draft.vek.extension("1.3.6.1.4.1.3704.1.4");
    hwid.value = der::tlv(0x04, &hwid.value);
    assert!(draft.issue().verify().is_ok());
}

#[test]
fn amds_own_extensions_may_be_critical() {
    let mut draft = Draft::genuine();
    draft.vek.extension("1.3.6.1.4.1.3704.1.4").critical = true;
    assert!(draft.issue().verify().is_ok());
}

#[test]
fn the_windows_include_their_ends() {
    let mut issued = Draft::genuine().issue();
    issued.crls.clear();
    let [first, last] = ["2020-01-01T00:00:00Z", "2045-01-01T00:00:00Z"]
        .map(|time| UnixTime::from_rfc3339(time).unwrap());
    for (now, expected) in [
        (UnixTime(first.0 - 1), Some("snp.chain.not_yet_valid")),
        (first, None),
        (last, None),
        (last.plus(1), Some("snp.chain.expired")),
    ] {
        issued.now = now;
        let code = issued.verify().err().map(|error| error.code());
        assert_eq!(code, expected, "{}", now.to_rfc3339());
    }
}

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
        assert_eq!(refusal.unwrap_err().code(), *expected, "{fault}");
    }
}

#[test]
fn every_step_has_a_fault() {
    let before = BEFORE_SIGNING.iter().map(|(_, code, _)| *code);
    let tried: BTreeSet<_> = before
        .chain(AFTER_SIGNING.iter().map(|(_, code, _)| *code))
        .collect();
    let steps: BTreeSet<_> = STEPS.iter().map(|step| step.id).collect();
    assert_eq!(tried, steps);
    assert_eq!(STEPS.len(), steps.len());
}

#[test]
fn faults_of_a_vlek() {
    let code = |make_wrong: fn(&mut Draft)| {
        let mut draft = Draft::with_vlek();
        make_wrong(&mut draft);
        draft.issue().verify().unwrap_err().code()
    };
    assert_eq!(
        code(|draft| draft.vek.without("1.3.6.1.4.1.3704.1.5")),
        "snp.vek.extensions"
    );
    assert_eq!(code(|draft| draft.report[0x48] = 0), "snp.signing_key");
    assert_eq!(code(|draft| draft.report[0x180] = 5), "snp.vek.tcb");
    assert_eq!(
        code(|draft| {
            draft.vek.issuer = "SEV-Milan".into();
            draft.ask.subject = "SEV-Milan".into();
        }),
        "snp.chain.issuer",
        "an ASK issues no VLEK"
    );
}

#[test]
fn faults_of_turin() {
    let code = |make_wrong: fn(&mut Draft)| {
        let mut draft = Draft::of_turin();
        make_wrong(&mut draft);
        draft.issue().verify().unwrap_err().code()
    };
    assert_eq!(
        code(|draft| draft.report[0x1A8] = 1),
        "snp.vek.hwid",
        "the ninth byte counts"
    );
    assert_eq!(
        code(|draft| draft.report[0x180] = 2),
        "snp.vek.tcb",
        "FMC counts"
    );
    assert_eq!(
        code(|draft| draft.vek.without("1.3.6.1.4.1.3704.1.3.9")),
        "snp.vek.extensions"
    );
    assert_eq!(code(|draft| draft.report[0x03C] = 1), "snp.report.tcb");
}

#[test]
fn classes_follow_the_kind_of_step() {
    let class = |code: &str| {
        let all = BEFORE_SIGNING
            .iter()
            .find(|(_, expected, _)| *expected == code);
        let mut draft = Draft::genuine();
        all.unwrap().2(&mut draft);
        draft.issue().verify().unwrap_err().class()
    };
    assert_eq!(class("snp.report.version"), ErrorClass::Malformed);
    assert_eq!(class("snp.vek.extensions"), ErrorClass::Malformed);
    assert_eq!(class("snp.report.tcb"), ErrorClass::Malformed);
    assert_eq!(class("snp.report.product"), ErrorClass::Unsupported);
    assert_eq!(class("snp.vek.product"), ErrorClass::Unsupported);
    assert_eq!(class("snp.product"), ErrorClass::Rejected);
    assert_eq!(class("snp.chain.expired"), ErrorClass::Rejected);
}

#[test]
fn only_collateral_out_of_its_window_is_worth_a_retry() {
    for (fault, expected, make_wrong) in BEFORE_SIGNING {
        let mut draft = Draft::genuine();
        make_wrong(&mut draft);
        let retryable = draft.issue().verify().unwrap_err().retryable();
        let windows = [
            "snp.chain.not_yet_valid",
            "snp.chain.expired",
            "snp.crl.window",
        ];
        assert_eq!(retryable, windows.contains(expected), "{fault}");
    }
}

#[test]
fn every_refusal_knows_its_step() {
    let error = SnpError::Signature;
    assert_eq!(error.step().unwrap().id, "snp.signature");
    assert!(
        STEPS
            .iter()
            .all(|step| !step.title.is_empty() && !step.section.is_empty())
    );
}

#[test]
fn details_name_what_was_found() {
    let claims = Draft::genuine().issue().verify().unwrap();
    let detail = |id: &str| claims.detail(STEPS.iter().find(|step| step.id == id).unwrap());
    assert_eq!(detail("snp.report.version"), "version 5");
    assert_eq!(detail("snp.chain.issuer"), "ARK-Milan");
    assert_eq!(detail("snp.vek.hwid"), "chip c1c1c1c1..");
    assert_eq!(detail("snp.crl.window"), "next update 2027-01-01T00:00:00Z");
    let claims = Draft::with_vlek().issue().verify().unwrap();
    let detail = |id: &str| claims.detail(STEPS.iter().find(|step| step.id == id).unwrap());
    assert_eq!(
        detail("snp.vek.hwid"),
        "a VLEK of \"CN=cloud.example\" names no chip"
    );
}

#[test]
fn any_single_flipped_bit_of_certificates_and_lists_is_refused() {
    let genuine = Draft::genuine().issue();
    assert_eq!(genuine.now, NOW);
    for bit in (0..genuine.vek.len() * 8).step_by(7) {
        let mut issued = genuine.clone();
        issued.vek[bit / 8] ^= 1 << (bit % 8);
        assert!(issued.verify().is_err(), "VEK bit {bit}");
    }
    for bit in (0..genuine.crls[0].len() * 8).step_by(7) {
        let mut issued = genuine.clone();
        issued.crls[0][bit / 8] ^= 1 << (bit % 8);
        assert!(issued.verify().is_err(), "CRL bit {bit}");
    }
}
