//! The simulated quotes and collateral as another implementation (crate `dcap-qvl`) verifies them.

use attestation::UnixTime;
use dcap_qvl::{
    QuoteCollateralV3,
    configs::RustCryptoConfig,
    quote::Report,
    verify::{QuoteVerifier, VerifiedReport},
};
use std::sync::LazyLock;
use tee_sim::tdx::{Body, Intel, Issued, PckSource, Signer, TcbStatus, pem};

/// 2026-06-01T00:00:00Z.
const NOW: UnixTime = UnixTime(1_780_272_000);

const REPORT_DATA: [u8; 64] = [0x42; 64];

static INTEL: LazyLock<Intel> = LazyLock::new(|| Intel::invent(NOW));

fn verify(intel: &Intel) -> Result<VerifiedReport, String> {
    let Issued {
        quote,
        collateral,
        root,
        ..
    } = intel.issue(&REPORT_DATA, NOW);
    let collateral = collateral.unwrap();
    let collateral = QuoteCollateralV3 {
        pck_crl_issuer_chain: pem(&collateral.pck_crl_issuer_chain),
        root_ca_crl: collateral.root_ca_crl,
        pck_crl: collateral.pck_crl,
        tcb_info_issuer_chain: pem(&collateral.tcb_info_issuer_chain),
        tcb_info: String::from_utf8(collateral.tcb_info).unwrap(),
        tcb_info_signature: collateral.tcb_info_signature,
        qe_identity_issuer_chain: pem(&collateral.qe_identity_issuer_chain),
        qe_identity: String::from_utf8(collateral.qe_identity).unwrap(),
        qe_identity_signature: collateral.qe_identity_signature,
        pck_certificate_chain: collateral.pck_certificate_chain.as_deref().map(pem),
    };
    QuoteVerifier::<RustCryptoConfig>::new_with_config(root)
        .verify(&quote, &collateral, NOW.0)
        .map_err(|error| format!("{error:#}"))
}

/// The status that the oracle gives what passes.
fn status(intel: &Intel) -> String {
    verify(intel).unwrap().status
}

#[test]
fn every_layout_is_up_to_date() {
    for (version, body) in [
        (4, Body::td10()),
        (5, Body::td10()),
        (5, Body::td15()),
        (5, Body::td15_ex()),
    ] {
        let intel = INTEL.with(|draft| {
            draft.quote.version = version;
            draft.quote.body = body.clone();
        });
        let verified = verify(&intel).unwrap_or_else(|error| panic!("{version} {body:?}: {error}"));
        assert_eq!(verified.status, "UpToDate");
        assert_eq!(verified.ppid, [0x91; 16]);
        let report = verified.report.as_td10().unwrap();
        assert_eq!(report.report_data, REPORT_DATA);
        assert_eq!(report.mr_td, [0x7D; 48]);
        let kind = match &verified.report {
            Report::SgxEnclave(_) => 1,
            Report::TD10(_) => 2,
            Report::TD15(_) => 3,
            Report::TD15Ex(_) => 4,
        };
        assert_eq!(kind, body.kind());
    }
}

#[test]
fn the_pck_certificate_may_come_with_the_collateral() {
    assert_eq!(
        status(&INTEL.with(|draft| draft.quote.pck = PckSource::Collateral)),
        "UpToDate"
    );
}

#[test]
fn padding_is_no_part_of_the_quote() {
    assert_eq!(
        status(&INTEL.with(|draft| draft.quote.padding = 17)),
        "UpToDate"
    );
}

#[test]
fn an_older_component_makes_an_older_status() {
    let older_module = INTEL.with(|draft| {
        draft.quote.body.report_mut().tee_tcb_svn[0] = 4;
        draft.quote.body.td15_mut().unwrap().tee_tcb_svn2[0] = 4;
    });
    assert_eq!(status(&older_module), "OutOfDate");
    let older_platform = INTEL.with(|draft| draft.sgx.as_mut().unwrap().cpu_svn[0] = 3);
    assert_eq!(status(&older_platform), "OutOfDate");
    let older_enclave = INTEL.with(|draft| draft.quote.qe_report.isv_svn = 2);
    assert_eq!(status(&older_enclave), "OutOfDate");
    let relaunch = INTEL.with(|draft| draft.quote.body.report_mut().tee_tcb_svn[0] = 4);
    assert_eq!(status(&relaunch), "TDRelaunchAdvised");
}

#[test]
fn every_signature_counts() {
    type SetSigner = fn(&mut tee_sim::tdx::Signers);
    let strangers: [SetSigner; 9] = [
        |signers| signers.pck_ca = Signer::Stranger,
        |signers| signers.tcb_signing = Signer::Stranger,
        |signers| signers.pck = Signer::Stranger,
        |signers| signers.root_ca_crl = Signer::Stranger,
        |signers| signers.pck_crl = Signer::Stranger,
        |signers| signers.tcb_info = Signer::Stranger,
        |signers| signers.qe_identity = Signer::Stranger,
        |signers| signers.qe_report = Signer::Stranger,
        |signers| signers.quote = Signer::Stranger,
    ];
    for (index, edit) in strangers.into_iter().enumerate() {
        let intel = INTEL.with(|draft| edit(&mut draft.signers));
        assert!(verify(&intel).is_err(), "{index}");
    }
}

#[test]
fn what_is_revoked_is_refused() {
    for (list, serial) in [(0, 2), (0, 3), (1, 4)] {
        let intel = INTEL.with(|draft| {
            let list = match list {
                0 => &mut draft.root_ca_crl,
                _ => &mut draft.pck_crl,
            };
            list.revoked = vec![vec![serial]];
        });
        assert!(verify(&intel).is_err(), "{serial}");
    }
    let level = INTEL.with(|draft| draft.tcb_info.tcb_levels[0].tcb_status = TcbStatus::Revoked);
    assert!(verify(&level).is_err());
}
