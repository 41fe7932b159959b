//! What is kept never changes a verdict: over the whole conformance suite the warm answers are the cold one, claims included.

#![allow(
    clippy::disallowed_methods,
    reason = "a test may fail, under the roots of an invented Intel"
)]

use attestation::{
    UnixTime, danger,
    roots::TdxRoots,
    tdx::{
        self, Collateral, Evidence, TdxClaims, TdxError, VerifiedCollateral, VerifiedPck,
        VerifiedQe,
    },
};
use std::{fs, path::Path};
use tee_sim::tdx::{Intel, Issued};

const NOW: UnixTime = UnixTime(1_780_272_000);

/// Cold, with the collateral and the PCK kept, and with the quoting enclave kept too; `None` where it cannot be kept.
type Answers = [Option<Result<TdxClaims, TdxError>>; 3];

fn answers(
    evidence: &Evidence<'_>,
    collateral: &Collateral,
    roots: &TdxRoots,
    now: UnixTime,
) -> Answers {
    let cold = tdx::verify(evidence, Some(collateral), roots, now);
    let Ok(collateral) = VerifiedCollateral::verify(collateral, roots, now) else {
        return [Some(cold), None, None];
    };
    let Ok(pck) = VerifiedPck::verify(evidence.quote, &collateral, now) else {
        return [Some(cold), None, None];
    };
    let with_pck = pck.appraise(evidence, &collateral, now);
    let qe = VerifiedQe::verify(evidence.quote, &pck, now);
    let with_qe = qe.map(|qe| qe.appraise(evidence, &collateral, now));
    [Some(cold), Some(with_pck), with_qe.ok()]
}

#[test]
fn the_suite_gives_the_same_answers_warm() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("testdata/tdx");
    let (mut accepted, mut refused) = (0, 0);
    for entry in fs::read_dir(&folder).unwrap() {
        let folder = entry.unwrap().path();
        let Ok(case) = fs::read(folder.join("case.json")) else {
            continue;
        };
        let case: serde_json::Value = serde_json::from_slice(&case).unwrap();
        let file = |key: &str| {
            let path = case["inputs"][key].as_str()?;
            Some(fs::read(folder.join(path)).unwrap())
        };
        let document = file("collateral").and_then(|json| Collateral::from_json(&json).ok());
        let (Some(quote), Some(collateral)) = (file("quote"), document) else {
            continue;
        };
        let event_log = file("event_log");
        let evidence = Evidence {
            quote: &quote,
            event_log: event_log.as_deref(),
        };
        let roots = danger::tdx_roots(&file("root").unwrap());
        let now = UnixTime::from_rfc3339(case["at"].as_str().unwrap()).unwrap();
        let [cold, warm @ ..] = answers(&evidence, &collateral, &roots, now);
        for warm in warm.into_iter().flatten() {
            assert_eq!(Some(&warm), cold.as_ref(), "{}", folder.display());
            match warm {
                Ok(_) => accepted += 1,
                Err(_) => refused += 1,
            }
        }
    }
    assert!(accepted >= 40 && refused >= 40, "{accepted}, {refused}");
}

/// One platform with what is kept of it.
struct Kept {
    issued: Issued,
    collateral: VerifiedCollateral,
    pck: VerifiedPck,
    qe: VerifiedQe,
}

fn keep(intel: &Intel) -> Kept {
    let issued = intel.issue(&[7; 64], NOW);
    let collateral = verified(intel, NOW).unwrap();
    let pck = VerifiedPck::verify(&issued.quote, &collateral, NOW).unwrap();
    let qe = VerifiedQe::verify(&issued.quote, &pck, NOW).unwrap();
    Kept {
        issued,
        collateral,
        pck,
        qe,
    }
}

fn verified(intel: &Intel, now: UnixTime) -> Result<VerifiedCollateral, TdxError> {
    let roots = danger::tdx_roots(&intel.root_der());
    VerifiedCollateral::verify(&intel.collateral(), &roots, now)
}

fn evidence(quote: &[u8]) -> Evidence<'_> {
    Evidence {
        quote,
        event_log: None,
    }
}

#[test]
fn further_quotes_of_the_platform_are_judged_each_for_itself() {
    let intel = Intel::invent(NOW);
    let kept = keep(&intel);
    let other = intel.quote(&[8; 64]);
    let claims = kept.qe.appraise(&evidence(&other), &kept.collateral, NOW);
    assert_eq!(claims.unwrap().td.report_data, [8; 64]);
    let mut forged = other;
    forged[60] ^= 1;
    let refused = kept.qe.appraise(&evidence(&forged), &kept.collateral, NOW);
    assert_eq!(refused, Err(TdxError::Signature));
}

#[test]
fn a_quote_of_another_platform_is_refused() {
    let kept = keep(&Intel::invent(NOW));
    let stranger = Intel::invent(NOW).quote(&[7; 64]);
    for refused in [
        kept.pck
            .appraise(&evidence(&stranger), &kept.collateral, NOW),
        kept.qe
            .appraise(&evidence(&stranger), &kept.collateral, NOW),
    ] {
        assert_eq!(refused.unwrap_err().code(), "tdx.pck.chain");
    }
}

#[test]
fn outside_of_its_windows_what_is_kept_says_what_a_cold_start_says() {
    let intel = Intel::invent(NOW);
    let kept = keep(&intel);
    let roots = danger::tdx_roots(&kept.issued.root);
    let window = kept.collateral.window().meet(kept.pck.window());
    let evidence = evidence(&kept.issued.quote);
    for now in [window.not_before.0, window.not_after.0, NOW.0].map(UnixTime) {
        assert!(kept.qe.appraise(&evidence, &kept.collateral, now).is_ok());
    }
    for now in [0, window.not_before.0 - 1, window.not_after.0 + 1, u64::MAX].map(UnixTime) {
        let cold = tdx::verify(&evidence, kept.issued.collateral.as_ref(), &roots, now);
        assert!(cold.as_ref().is_err_and(TdxError::retryable), "{cold:?}");
        assert_eq!(kept.pck.appraise(&evidence, &kept.collateral, now), cold);
        assert_eq!(kept.qe.appraise(&evidence, &kept.collateral, now), cold);
    }
}

#[test]
fn a_newer_list_revokes_what_was_kept() {
    let intel = Intel::invent(NOW);
    let kept = keep(&intel);
    let serial = intel.draft().pck.serial.clone();
    let revoking = intel.with(|draft| draft.pck_crl.revoked.push(serial));
    let newer = verified(&revoking, NOW).unwrap();
    let evidence = evidence(&kept.issued.quote);
    let refused = kept.qe.appraise(&evidence, &newer, NOW);
    assert_eq!(refused.unwrap_err().code(), "tdx.pck.revoked");

    let current = intel.with(|draft| draft.pck_crl.this_update = NOW);
    let newer = verified(&current, NOW).unwrap();
    assert!(kept.qe.appraise(&evidence, &newer, NOW).is_ok());
}

#[test]
fn collateral_without_a_chain_keeps_no_pck_for_quotes_that_carry_none() {
    let intel =
        Intel::invent(NOW).with(|draft| draft.quote.pck = tee_sim::tdx::PckSource::Collateral);
    let kept = keep(&intel);
    let without = Collateral {
        pck_certificate_chain: None,
        ..intel.collateral()
    };
    let roots = danger::tdx_roots(&intel.root_der());
    let without = VerifiedCollateral::verify(&without, &roots, NOW).unwrap();
    let refused = VerifiedPck::verify(&kept.issued.quote, &without, NOW);
    assert_eq!(refused, Err(TdxError::PckMissing));
    let evidence = evidence(&kept.issued.quote);
    assert!(kept.qe.appraise(&evidence, &without, NOW).is_ok());
}
