//! A VEK that was verified once gives the verdicts that verifying everything each time gives.

use super::{
    faults::{AFTER_SIGNING, BEFORE_SIGNING},
    genuine::{Draft, Issued},
};
use crate::{
    UnixTime,
    snp::{SnpClaims, SnpError},
};

fn warm(issued: &Issued) -> Result<SnpClaims, SnpError> {
    issued.verified_vek()?.appraise(&issued.report, issued.now)
}

/// The issued evidence of every fault.
fn faulty() -> impl Iterator<Item = (&'static str, Issued)> {
    let before = BEFORE_SIGNING.iter().map(|(fault, _, make_wrong)| {
        let mut draft = Draft::genuine();
        make_wrong(&mut draft);
        (*fault, draft.issue())
    });
    let after = AFTER_SIGNING.iter().map(|(fault, _, make_wrong)| {
        let mut issued = Draft::genuine().issue();
        make_wrong(&mut issued);
        (*fault, issued)
    });
    before.chain(after)
}

#[test]
fn claims_are_the_same() {
    for draft in [Draft::genuine(), Draft::with_vlek(), Draft::of_turin()] {
        let mut issued = draft.issue();
        assert_eq!(warm(&issued), issued.verify());
        issued.crls.clear();
        assert!(warm(&issued).is_ok());
        assert_eq!(warm(&issued), issued.verify());
    }
}

#[test]
fn whatever_is_refused_is_refused_warm() {
    for (fault, issued) in faulty() {
        assert!(warm(&issued).is_err(), "{fault}");
        if issued.verified_vek().is_ok() {
            assert_eq!(warm(&issued), issued.verify(), "{fault}");
        }
    }
}

#[test]
fn reports_of_every_fault_are_refused_by_a_vek_that_was_verified_before() {
    let verified = Draft::genuine().issue().verified_vek().unwrap();
    let mut seen = 0;
    for (fault, issued) in faulty() {
        let genuine = Draft::genuine().issue();
        let with_report = Issued {
            report: issued.report,
            ..genuine
        };
        let cold = with_report.verify();
        let warm = verified.appraise(&with_report.report, with_report.now);
        assert_eq!(warm, cold, "{fault}");
        seen += usize::from(cold.is_err());
    }
    assert!(seen > 15, "only {seen} faults are the report's");
}

#[test]
fn windows_are_checked_at_each_report() {
    let issued = Draft::genuine().issue();
    let verified = issued.verified_vek().unwrap();
    let window = verified.window();
    let [first, last] = [window.not_before, window.not_after];
    for (now, code) in [
        (UnixTime(0), Some("snp.chain.not_yet_valid")),
        (UnixTime(first.0 - 1), Some("snp.crl.window")),
        (first, None),
        (last, None),
        (last.plus(1), Some("snp.crl.window")),
        (UnixTime(u64::MAX), Some("snp.chain.expired")),
    ] {
        let cold = Issued {
            now,
            ..issued.clone()
        };
        let warm = verified.appraise(&issued.report, now);
        assert_eq!(warm, cold.verify(), "{}", now.0);
        assert_eq!(warm.err().map(|error| error.code()), code, "{}", now.0);
    }
}

#[test]
fn a_vek_signs_for_its_own_chip_and_tcb_only() {
    let verified = Draft::genuine().issue().verified_vek().unwrap();
    let code = |change: fn(&mut Draft)| {
        let mut draft = Draft::genuine();
        change(&mut draft);
        let issued = draft.issue();
        let refused = verified.appraise(&issued.report, issued.now);
        refused.unwrap_err().code()
    };
    assert_eq!(code(|draft| draft.report[0x1A0] ^= 1), "snp.vek.hwid");
    assert_eq!(code(|draft| draft.report[0x180] ^= 1), "snp.vek.tcb");
    assert_eq!(code(|draft| draft.report[0x188] = 0x1A), "snp.product");
    assert_eq!(code(|draft| draft.report[0x48] = 4), "snp.signing_key");
}
