//! Collateral as one JSON document: PEM chains, hexadecimal bytes, the signed documents as strings (`QuoteCollateralV3`).

use attestation::tdx::Collateral;
use serde::Serialize;
use tee_sim::tdx::pem;

#[derive(Serialize)]
struct Document {
    tcb_info: String,
    tcb_info_signature: String,
    tcb_info_issuer_chain: String,
    qe_identity: String,
    qe_identity_signature: String,
    qe_identity_issuer_chain: String,
    root_ca_crl: String,
    pck_crl: String,
    pck_crl_issuer_chain: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    pck_certificate_chain: Option<String>,
}

pub(super) fn to_json(collateral: &Collateral) -> Vec<u8> {
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    let document = Document {
        tcb_info: text(&collateral.tcb_info),
        tcb_info_signature: hex::encode(&collateral.tcb_info_signature),
        tcb_info_issuer_chain: pem(&collateral.tcb_info_issuer_chain),
        qe_identity: text(&collateral.qe_identity),
        qe_identity_signature: hex::encode(&collateral.qe_identity_signature),
        qe_identity_issuer_chain: pem(&collateral.qe_identity_issuer_chain),
        root_ca_crl: hex::encode(&collateral.root_ca_crl),
        pck_crl: hex::encode(&collateral.pck_crl),
        pck_crl_issuer_chain: pem(&collateral.pck_crl_issuer_chain),
        pck_certificate_chain: collateral.pck_certificate_chain.as_deref().map(pem),
    };
    let mut json = serde_json::to_vec_pretty(&document).expect("strings");
    json.push(b'\n');
    json
}
