//! TDX: the quote that package `dcap-qvl` ships, with its collateral; the peer is that crate on `ring`.

use bench::{
    evidence,
    raw::{self, Form, Signed},
    timing::in_turn,
};
use dcap_qvl::{QuoteCollateralV3, verify::ring};
use std::{error::Error, fs};

/// 2025-07-01T00:00:00Z
const NOW: u64 = 1_751_328_000;

pub fn bench() -> Result<(), Box<dyn Error>> {
    let folder = evidence::of_package("dcap-qvl")?.join("sample");
    let quote = fs::read(folder.join("tdx_quote"))?;
    let collateral = fs::read(folder.join("tdx_quote_collateral.json"))?;
    let collateral: QuoteCollateralV3 = serde_json::from_slice(&collateral)?;
    let signatures = signatures(&quote, &collateral)?;
    let [limit, two, dcap_qvl] = in_turn([
        &mut || raw::verify(&signatures),
        &mut || raw::verify(&signatures[..2]),
        &mut || drop(ring::verify(&quote, &collateral, NOW).expect("genuine")),
    ]);
    limit.print("", &format!("raw: {} P-256", signatures.len()));
    two.print("", "raw: 2 P-256");
    dcap_qvl.print("", "dcap-qvl 0.7 on ring, cold");
    Ok(())
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
