//! Faults found in public verifiers of TD quotes, each as evidence of an invented Intel that such a verifier would accept.
//! Every single step has its fault in the conformance suite; here is what has a name elsewhere.

#![allow(
    clippy::disallowed_methods,
    reason = "a test may fail, under the root of an invented Intel"
)]

use crate::support::{at, dcap_qvl_samples};
use attestation::{
    ErrorClass, ReportData, UnixTime, danger,
    roots::TdxRoots,
    tdx::{self, Collateral, ComponentSvn, Evidence, TcbStatus, TdxClaims, TdxError},
};
use std::{fs, sync::LazyLock};
use tee_sim::tdx::{Draft, Intel, Issued, Signer, TcbStatus as Level};

const NOW: UnixTime = UnixTime(1_780_272_000);

static INTEL: LazyLock<Intel> = LazyLock::new(|| Intel::invent(NOW));

fn verify(issued: &Issued) -> Result<TdxClaims, TdxError> {
    let evidence = Evidence {
        quote: &issued.quote,
        event_log: issued.event_log.as_deref(),
    };
    let roots = danger::tdx_roots(&issued.root);
    tdx::verify(&evidence, issued.collateral.as_ref(), &roots, issued.now)
}

fn judged(edit: impl FnOnce(&mut Draft)) -> Result<TdxClaims, TdxError> {
    verify(&INTEL.with(edit).issue(&[7; 64], NOW))
}

fn code(edit: impl FnOnce(&mut Draft)) -> &'static str {
    judged(edit).unwrap_err().code()
}

fn platform_is_behind(draft: &mut Draft) {
    draft.sgx.as_mut().unwrap().cpu_svn[0] = 3;
}

fn module_is_behind(draft: &mut Draft) {
    draft.quote.body.report_mut().tee_tcb_svn[0] = 4;
    draft.quote.body.td15_mut().unwrap().tee_tcb_svn2[0] = 4;
}

/// The module's status is returned in place of the platform's: OutOfDate passes.
#[test]
fn a_current_module_hides_no_platform_that_is_behind() {
    let tcb = judged(platform_is_behind).unwrap().tcb;
    assert_eq!(tcb.status, TcbStatus::OutOfDate);
    assert_eq!(tcb.platform_status, TcbStatus::OutOfDate);
    assert_eq!(tcb.module_status, Some(TcbStatus::UpToDate));
    let tcb = judged(module_is_behind).unwrap().tcb;
    assert_eq!(tcb.status, TcbStatus::OutOfDate);
    assert_eq!(tcb.platform_status, TcbStatus::UpToDate);
    assert_eq!(tcb.module_status, Some(TcbStatus::OutOfDate));
}

/// The QE identity's signature is not verified: anybody's enclave is Intel's.
#[test]
fn a_qe_identity_that_intel_did_not_sign_is_refused() {
    let forged = |draft: &mut Draft| {
        draft.qe_identity.mrsigner = "EE".repeat(32);
        draft.quote.qe_report.mr_signer = [0xEE; 32];
        draft.signers.qe_identity = Signer::Stranger;
    };
    assert_eq!(code(forged), "tdx.qe_identity.signature");
}

/// Only Revoked is fatal, and nobody is told of the others.
#[test]
fn revoked_is_refused_and_every_other_status_is_told() {
    for (level, status) in [
        (Level::OutOfDate, TcbStatus::OutOfDate),
        (Level::ConfigurationNeeded, TcbStatus::ConfigurationNeeded),
        (Level::SWHardeningNeeded, TcbStatus::SwHardeningNeeded),
    ] {
        let tcb = judged(|draft| draft.tcb_info.tcb_levels[0].tcb_status = level);
        assert_eq!(tcb.unwrap().tcb.status, status);
    }
    let revoked = |draft: &mut Draft| draft.tcb_info.tcb_levels[0].tcb_status = Level::Revoked;
    assert_eq!(code(revoked), "tdx.tcb.revoked");
}

/// Expired TCB info only sets a flag.
#[test]
fn expired_collateral_is_refused_and_may_be_fetched_anew() {
    let yesterday = UnixTime(NOW.0 - 1).to_rfc3339();
    let tcb_info = judged(|draft| draft.tcb_info.next_update = yesterday.clone());
    let qe_identity = judged(|draft| draft.qe_identity.next_update = yesterday);
    for (refused, code) in [
        (tcb_info, "tdx.tcb_info.window"),
        (qe_identity, "tdx.qe_identity.window"),
    ] {
        let error = refused.unwrap_err();
        assert_eq!((error.code(), error.retryable()), (code, true));
        assert_eq!(error.class(), ErrorClass::Rejected);
    }
}

/// A missing certificate extension passes.
#[test]
fn a_pck_that_does_not_say_what_it_is_for_is_refused() {
    for arc in 1..=5 {
        let refused = code(|draft| draft.sgx.as_mut().unwrap().omitted = vec![arc]);
        assert_eq!(refused, "tdx.pck.extensions", "{arc}");
    }
    assert_eq!(code(|draft| draft.sgx = None), "tdx.pck.extensions");
}

/// An empty list means yes.
#[test]
fn empty_lists_are_refused() {
    let no_levels = code(|draft| draft.tcb_info.tcb_levels.clear());
    assert_eq!(no_levels, "tdx.tcb_info.format");
    let no_qe_levels = code(|draft| draft.qe_identity.tcb_levels.clear());
    assert_eq!(no_qe_levels, "tdx.qe_identity.format");
    let no_modules = code(|draft| draft.tcb_info.tdx_module_identities.clear());
    assert_eq!(no_modules, "tdx.module.identity");
    let mut issued = INTEL.issue(&[7; 64], NOW);
    issued
        .collateral
        .as_mut()
        .unwrap()
        .tcb_info_issuer_chain
        .clear();
    let refused = verify(&issued).unwrap_err();
    assert_eq!(refused.code(), "tdx.collateral.format");
}

/// Expected report_data is cut or padded to fit, or a measurement's mismatch is recorded and not fatal.
#[test]
fn report_data_and_event_log_are_compared_whole() {
    let claims = judged(|_| ()).unwrap();
    assert!(claims.carries(&ReportData([7; 64])));
    let mut other = [7; 64];
    other[63] = 8;
    assert!(!claims.carries(&ReportData(other)));
}

/// The certificate's time is the system clock's: here the caller's alone, to the second.
#[test]
fn time_is_an_argument() {
    let issued = INTEL.issue(&[7; 64], NOW);
    let end = verify(&issued).unwrap().not_after;
    let at = |now| {
        verify(&Issued {
            now,
            ..issued.clone()
        })
    };
    assert!(at(end).is_ok());
    assert!(at(end.plus(1)).unwrap_err().retryable());
    assert!(at(UnixTime(0)).unwrap_err().retryable());
}

/// What an out-of-date quoting enclave or module exposes is Intel's list of the platform alone.
#[test]
fn advisories_of_every_level_are_told_once() {
    let tcb = judged(|draft| {
        platform_is_behind(draft);
        module_is_behind(draft);
        draft.tcb_info.tcb_levels[1].advisory_ids = vec!["A".into(), "B".into()];
        let module = &mut draft.tcb_info.tdx_module_identities[0];
        module.tcb_levels[1].advisory_ids = vec!["B".into(), "C".into()];
    });
    assert_eq!(tcb.unwrap().tcb.advisory_ids, ["A", "B", "C"]);
}

#[test]
fn each_component_says_how_far_it_is_behind() {
    let up_to_date = judged(|_| ()).unwrap().tcb;
    assert_eq!(up_to_date.behind().count(), 0);
    assert!(up_to_date.out_of_date_since.is_none());
    let tcb = judged(|draft| {
        platform_is_behind(draft);
        module_is_behind(draft);
        draft.sgx.as_mut().unwrap().pce_svn = 12;
        draft.quote.qe_report.isv_svn = 2;
    });
    let tcb = tcb.unwrap().tcb;
    let told: Vec<String> = tcb.behind().map(ComponentSvn::to_string).collect();
    assert_eq!(
        told,
        [
            "SGX TCB component 1: has 3, needs 4",
            "PCE: has 12, needs 13",
            "TDX module: has 4, needs 7",
            "TD quoting enclave: has 2, needs 4",
        ]
    );
}

#[test]
fn grace_counts_from_the_date_of_the_level_that_is_met() {
    let met = at("2024-03-13T00:00:00Z");
    let tcb = judged(platform_is_behind).unwrap().tcb;
    assert_eq!((tcb.date, tcb.out_of_date_since), (met, Some(met)));
    assert!(tcb.within_grace(NOW.since(met), NOW));
    assert!(!tcb.within_grace(NOW.since(met) - 1, NOW));
    assert!(tcb.within_grace(0, met));

    let up_to_date = judged(|_| ()).unwrap().tcb;
    assert!(up_to_date.within_grace(0, UnixTime(u64::MAX)));
    let configuration = judged(|draft| {
        draft.tcb_info.tcb_levels[0].tcb_status = Level::ConfigurationNeeded;
    });
    assert!(!configuration.unwrap().tcb.within_grace(u64::MAX, NOW));
}

#[test]
fn a_module_that_is_worse_now_than_at_the_launch_counts() {
    let tcb = judged(|draft| draft.quote.body.td15_mut().unwrap().tee_tcb_svn2[0] = 4);
    let tcb = tcb.unwrap().tcb;
    assert_eq!(tcb.status, TcbStatus::OutOfDate);
    assert_eq!(tcb.current_status, Some(TcbStatus::OutOfDate));
    let unknown = |draft: &mut Draft| draft.quote.body.td15_mut().unwrap().tee_tcb_svn2[1] = 9;
    assert_eq!(code(unknown), "tdx.module.identity");
}

#[test]
fn service_tds_and_attributes_are_claims() {
    let claims = judged(|draft| {
        draft.quote.body.td15_mut().unwrap().mr_service_td = [5; 48];
        draft.quote.body.report_mut().td_attributes = 1 << 29 | 1 << 63;
    });
    let td = claims.unwrap().td;
    assert_eq!(td.service_td(), Some(&[5; 48]));
    assert!(td.attributes.migratable() && td.attributes.perfmon());
    assert!(!td.attributes.sept_ve_disable() && !td.attributes.under_debug());
    assert!(judged(|_| ()).unwrap().td.service_td().is_none());
}

/// A root that is no certificate, or another one, accepts nothing.
#[test]
fn another_root_accepts_nothing() {
    let issued = INTEL.issue(&[7; 64], NOW);
    let under = |roots: &TdxRoots| {
        let evidence = Evidence {
            quote: &issued.quote,
            event_log: None,
        };
        tdx::verify(&evidence, issued.collateral.as_ref(), roots, NOW).unwrap_err()
    };
    assert_eq!(under(&TdxRoots::vendor()).code(), "tdx.tcb_info.chain");
    assert_eq!(under(&danger::tdx_roots(b"")).code(), "tdx.pck.chain");
}

#[test]
fn documents_with_doubled_fields_or_more_behind_them_are_refused() {
    let genuine = Collateral::from_json(&sample()).unwrap();
    let roots = TdxRoots::vendor();
    let refused = |collateral: &Collateral| {
        let now = at("2025-07-01T00:00:00Z");
        tdx::VerifiedCollateral::verify(collateral, &roots, now)
            .unwrap_err()
            .code()
    };
    for more in [&b"{}"[..], b" x", b","] {
        let mut changed = genuine.clone();
        changed.tcb_info.extend_from_slice(more);
        assert_eq!(refused(&changed), "tdx.tcb_info.format");
        let mut changed = genuine.clone();
        changed.qe_identity.extend_from_slice(more);
        assert_eq!(refused(&changed), "tdx.qe_identity.format");
    }
    let doubled = |document: &[u8], field: &str| {
        let text = String::from_utf8(document.to_vec()).unwrap();
        text.replacen('{', &format!("{{{field},"), 1).into_bytes()
    };
    let mut changed = genuine.clone();
    changed.tcb_info = doubled(&genuine.tcb_info, r#""fmspc":"B0C06F000000""#);
    assert_eq!(refused(&changed), "tdx.tcb_info.format");
    let mut changed = genuine.clone();
    changed.qe_identity = doubled(&genuine.qe_identity, r#""isvprodid":2"#);
    assert_eq!(refused(&changed), "tdx.qe_identity.format");
    let mut changed = genuine;
    changed.tcb_info = vec![b'['; 300 * 1024];
    assert_eq!(refused(&changed), "tdx.tcb_info.format");
}

#[test]
fn collateral_has_one_form() {
    let genuine = String::from_utf8(sample()).unwrap();
    let told = |text: &str| Collateral::from_json(text.as_bytes());
    let collateral = told(&genuine).unwrap();
    assert_eq!(collateral.tcb_info_signature.len(), 64);
    assert_eq!(collateral.pck_crl_issuer_chain.len(), 2);
    assert!(collateral.pck_certificate_chain.is_none());
    for refused in [
        format!("{genuine}x"),
        format!("[{genuine}]"),
        genuine.replacen('{', r#"{"tcb_info":"","#, 1),
        genuine.replacen('{', r#"{"more":"","#, 1),
        genuine.replace("\"pck_crl\"", "\"pck_list\""),
        genuine.replace("-----BEGIN CERTIFICATE-----", "-----BEGIN"),
        genuine.replacen("\"027ef6", "\"027eg6", 1),
        "[".repeat(100_000),
        format!("{genuine}{}", " ".repeat(1 << 20)),
        String::new(),
    ] {
        let error = told(&refused).unwrap_err();
        assert_eq!(error.code(), "tdx.collateral.format");
        assert_eq!(error.class(), ErrorClass::Malformed);
        assert!(error.to_string().len() < 300);
    }
}

fn sample() -> Vec<u8> {
    fs::read(dcap_qvl_samples().join("tdx_quote_collateral.json")).unwrap()
}
