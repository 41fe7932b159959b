//! What Intel's Provisioning Certification Service publishes about one platform family.

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
