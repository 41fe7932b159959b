//! What Intel's Provisioning Certification Service publishes about one platform family.

use super::{TdxError, json, pem};
use serde::{Deserialize, Serialize};

/// Room for a list of some thousand revoked certificates in hexadecimal.
const MAX_JSON_BYTES: usize = 1024 * 1024;

/// Collateral of one FMSPC, every part as received.
///
/// Certificates and lists are DER. The two JSON documents are the exact bytes that Intel signed: the value of `tcbInfo` and
/// of `enclaveIdentity`, without the object around them.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Collateral {
    /// `tcbInfo`, the signed bytes.
    pub tcb_info: Vec<u8>,
    /// ECDSA P-256 signature over it, r || s, 64 bytes.
    pub tcb_info_signature: Vec<u8>,
    /// TCB Signing certificate and root, leaf first.
    pub tcb_info_issuer_chain: Vec<Vec<u8>>,
    /// `enclaveIdentity` of the TD quoting enclave, the signed bytes.
    pub qe_identity: Vec<u8>,
    /// ECDSA P-256 signature over it, r || s, 64 bytes.
    pub qe_identity_signature: Vec<u8>,
    /// TCB Signing certificate and root, leaf first.
    pub qe_identity_issuer_chain: Vec<Vec<u8>>,
    /// CRL of the Intel SGX Root CA.
    pub root_ca_crl: Vec<u8>,
    /// CRL of the PCK Platform or Processor CA.
    pub pck_crl: Vec<u8>,
    /// PCK CA and root, leaf first.
    pub pck_crl_issuer_chain: Vec<Vec<u8>>,
    /// PCK certificate and its chain, leaf first, for quotes that carry none (certification data types 2 and 3).
    pub pck_certificate_chain: Option<Vec<Vec<u8>>>,
}

/// `QuoteCollateralV3` as crate `dcap-qvl` writes it: PEM chains, hexadecimal bytes, the signed documents as strings.
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
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
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pck_certificate_chain: Option<String>,
}

impl Collateral {
    /// Reads a JSON document as crate `dcap-qvl` writes it. Unknown, doubled and missing fields, other encodings and anything behind it are refused.
    pub fn from_json(document: &[u8]) -> Result<Self, TdxError> {
        if document.len() > MAX_JSON_BYTES {
            return Err(TdxError::CollateralFormat("too long".into()));
        }
        let document: Document = serde_json::from_slice(document)
            .map_err(|error| TdxError::CollateralFormat(json::reason(&error)))?;
        let pck_certificate_chain = document.pck_certificate_chain.as_deref();
        Ok(Self {
            tcb_info: document.tcb_info.into_bytes(),
            tcb_info_signature: bytes(&document.tcb_info_signature, "tcb_info_signature")?,
            tcb_info_issuer_chain: chain(&document.tcb_info_issuer_chain, "tcb_info_issuer_chain")?,
            qe_identity: document.qe_identity.into_bytes(),
            qe_identity_signature: bytes(&document.qe_identity_signature, "qe_identity_signature")?,
            qe_identity_issuer_chain: chain(
                &document.qe_identity_issuer_chain,
                "qe_identity_issuer_chain",
            )?,
            root_ca_crl: bytes(&document.root_ca_crl, "root_ca_crl")?,
            pck_crl: bytes(&document.pck_crl, "pck_crl")?,
            pck_crl_issuer_chain: chain(&document.pck_crl_issuer_chain, "pck_crl_issuer_chain")?,
            pck_certificate_chain: pck_certificate_chain
                .map(|pem| chain(pem, "pck_certificate_chain"))
                .transpose()?,
        })
    }

    /// The JSON document that [`Collateral::from_json`] reads; `None` if what Intel signed is no text.
    #[must_use]
    pub fn to_json(&self) -> Option<String> {
        let text = |bytes: &[u8]| String::from_utf8(bytes.to_vec()).ok();
        let pck_certificate_chain = self.pck_certificate_chain.as_deref();
        let document = Document {
            tcb_info: text(&self.tcb_info)?,
            tcb_info_signature: hex::encode(&self.tcb_info_signature),
            tcb_info_issuer_chain: pem::text(&self.tcb_info_issuer_chain),
            qe_identity: text(&self.qe_identity)?,
            qe_identity_signature: hex::encode(&self.qe_identity_signature),
            qe_identity_issuer_chain: pem::text(&self.qe_identity_issuer_chain),
            root_ca_crl: hex::encode(&self.root_ca_crl),
            pck_crl: hex::encode(&self.pck_crl),
            pck_crl_issuer_chain: pem::text(&self.pck_crl_issuer_chain),
            pck_certificate_chain: pck_certificate_chain.map(pem::text),
        };
        serde_json::to_string_pretty(&document).ok()
    }
}

fn bytes(hexadecimal: &str, field: &str) -> Result<Vec<u8>, TdxError> {
    hex::decode(hexadecimal)
        .map_err(|_| TdxError::CollateralFormat(format!("{field} is not hexadecimal")))
}

fn chain(pem: &str, field: &str) -> Result<Vec<Vec<u8>>, TdxError> {
    pem::certificates(pem.as_bytes())
        .ok_or_else(|| TdxError::CollateralFormat(format!("{field} is no PEM chain")))
}
