//! TDX: the quote that package `dcap-qvl` ships, with its collateral; the peer is that crate on `ring`.

use attestation::{
    UnixTime,
    roots::TdxRoots,
    tdx::{self, Collateral, VerifiedCollateral, VerifiedPck, VerifiedQe},
};
use bench::{
    evidence::of_package,
    raw::{self, Form, Signed},
    timing::{in_turn, print_ratio},
};
use dcap_qvl::{QuoteCollateralV3, verify::ring};
use std::{error::Error, fs};

/// 2025-07-01T00:00:00Z
const NOW: UnixTime = UnixTime(1_751_328_000);

pub fn bench() -> Result<(), Box<dyn Error>> {
    let folder = of_package("dcap-qvl")?.join("sample");
    let quote = fs::read(folder.join("tdx_quote"))?;
    let json = fs::read(folder.join("tdx_quote_collateral.json"))?;
    let (ours, theirs) = (
        Collateral::from_json(&json)?,
        serde_json::from_slice(&json)?,
    );
    let signatures = signatures(&quote, &theirs)?;
    let (roots, evidence) = (TdxRoots::vendor(), evidence(&quote));
    let collateral = VerifiedCollateral::verify(&ours, &roots, NOW)?;
    let pck = VerifiedPck::verify(&quote, &collateral, NOW)?;
    let qe = VerifiedQe::verify(&quote, &pck, NOW)?;
    let [cold, warm, warm_qe, limit, two, one, dcap_qvl] = in_turn([
        &mut || drop(tdx::verify(&evidence, Some(&ours), &roots, NOW).expect("genuine")),
        &mut || drop(pck.appraise(&evidence, &collateral, NOW).expect("genuine")),
        &mut || drop(qe.appraise(&evidence, &collateral, NOW).expect("genuine")),
        &mut || raw::verify(&signatures),
        &mut || raw::verify(&signatures[..2]),
        &mut || raw::verify(&signatures[..1]),
        &mut || drop(ring::verify(&quote, &theirs, NOW.0).expect("genuine")),
    ]);
    cold.print("tdx.cold", "narthex");
    warm.print("tdx.warm", "narthex");
    warm_qe.print(
        "tdx.warm_qe",
        "narthex, the QE's report verified before, too",
    );
    limit.print("", &format!("raw: {} P-256", signatures.len()));
    two.print("", "raw: 2 P-256");
    one.print("", "raw: 1 P-256");
    dcap_qvl.print("", "dcap-qvl 0.7 on ring, cold");
    print_ratio("tdx.cold.vs_dcap_qvl", &cold, &dcap_qvl);
    print_ratio("tdx.cold.vs_raw", &cold, &limit);
    print_ratio("tdx.warm.vs_raw", &warm, &two);
    print_ratio("tdx.warm_qe.vs_raw", &warm_qe, &one);
    Ok(())
}

const fn evidence(quote: &[u8]) -> tdx::Evidence<'_> {
    tdx::Evidence {
        quote,
        event_log: None,
    }
}

/// Of the quote, of the QE's report, of two certificates of the PCK chain, of the TCB signing certificate, of both lists, of both documents.
fn signatures(quote: &[u8], collateral: &QuoteCollateralV3) -> Result<Vec<Signed>, Box<dyn Error>> {
    let (mut signatures, pck) = raw::tdx_quote(quote)?;
    let signer = raw::certificates(collateral.tcb_info_issuer_chain.as_bytes())?;
    let document = |text: &str, signature: &[u8]| {
        Signed::by(&signer[0], text.as_bytes(), signature, Form::Fixed)
    };
    signatures.extend(Signed::chain(&pck)?);
    signatures.extend(Signed::chain(&signer)?);
    signatures.push(Signed::x509(&collateral.pck_crl, &pck[1])?);
    signatures.push(Signed::x509(&collateral.root_ca_crl, &pck[2])?);
    signatures.push(document(
        &collateral.tcb_info,
        &collateral.tcb_info_signature,
    )?);
    signatures.push(document(
        &collateral.qe_identity,
        &collateral.qe_identity_signature,
    )?);
    Ok(signatures)
}
