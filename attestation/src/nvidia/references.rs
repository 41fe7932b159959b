//! What NVIDIA publishes about its devices' firmware and certificates.

/// Reference values and revocation status, every part as received; which one applies to what is found by their content.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct References {
    /// Reference integrity manifests: SWID tags, XML (NIST IR 8060) with an enveloped XMLDSig.
    pub rims: Vec<Vec<u8>>,
    /// OCSP responses (RFC 6960), DER.
    pub ocsp: Vec<Vec<u8>>,
}
