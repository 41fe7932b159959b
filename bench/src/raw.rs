//! The signatures in a piece of evidence, verified and nothing else: what a verifier could at best reach with the same library, aws-lc-rs.

use aws_lc_rs::signature::{self, UnparsedPublicKey, VerificationAlgorithm};
use base64::{Engine as _, prelude::BASE64_STANDARD};
use der::{Decode as _, Reader as _, SliceReader, asn1::BitStringRef};
use std::error::Error;
use x509_cert::Certificate;

/// One signature with all that it takes to verify it.
pub struct Signed {
    algorithm: &'static dyn VerificationAlgorithm,
    key: Vec<u8>,
    message: Vec<u8>,
    signature: Vec<u8>,
}

/// How `signature` is written down.
#[derive(Clone, Copy)]
pub enum Form {
    /// As X.509 has it: `ECDSA-Sig-Value`, DER, or an RSA integer.
    X509,
    /// r || s.
    Fixed,
}

impl Signed {
    /// By the key of the certificate `signer` (DER).
    pub fn by(
        signer: &[u8],
        message: &[u8],
        signature: &[u8],
        form: Form,
    ) -> Result<Self, Box<dyn Error>> {
        let signer = Certificate::from_der(signer)?;
        let key = &signer
            .tbs_certificate()
            .subject_public_key_info()
            .subject_public_key;
        Self::with_key(key.raw_bytes(), message, signature, form)
    }

    /// By `key`: an uncompressed point, or an `RSAPublicKey`.
    pub fn with_key(
        key: &[u8],
        message: &[u8],
        signature: &[u8],
        form: Form,
    ) -> Result<Self, Box<dyn Error>> {
        let algorithm: &'static dyn VerificationAlgorithm = match (key.len(), form) {
            (65, Form::X509) => &signature::ECDSA_P256_SHA256_ASN1,
            (65, Form::Fixed) => &signature::ECDSA_P256_SHA256_FIXED,
            (97, Form::X509) => &signature::ECDSA_P384_SHA384_ASN1,
            (97, Form::Fixed) => &signature::ECDSA_P384_SHA384_FIXED,
            _ => &signature::RSA_PSS_2048_8192_SHA384,
        };
        let signed = Self {
            algorithm,
            key: key.to_vec(),
            message: message.to_vec(),
            signature: signature.to_vec(),
        };
        let is_genuine = signed.is_valid();
        is_genuine
            .then_some(signed)
            .ok_or("a signature of the evidence is not valid".into())
    }

    /// A certificate or revocation list (DER) and its issuer's certificate.
    pub fn x509(signed: &[u8], issuer: &[u8]) -> Result<Self, Box<dyn Error>> {
        let mut reader = SliceReader::new(signed)?;
        let (message, signature) = reader.sequence(|parts| {
            let message = parts.tlv_bytes()?;
            parts.tlv_bytes()?;
            Ok::<_, der::Error>((message, parts.decode::<BitStringRef<'_>>()?))
        })?;
        Self::by(issuer, message, signature.raw_bytes(), Form::X509)
    }

    /// Each certificate of `chain`, leaf first, but the last, by the next one.
    pub fn chain(chain: &[Vec<u8>]) -> Result<Vec<Self>, Box<dyn Error>> {
        let issued = chain.iter().zip(chain.iter().skip(1));
        issued
            .map(|(one, issuer)| Self::x509(one, issuer))
            .collect()
    }

    fn is_valid(&self) -> bool {
        UnparsedPublicKey::new(self.algorithm, &self.key)
            .verify(&self.message, &self.signature)
            .is_ok()
    }
}

/// Verifies them all.
pub fn verify(signatures: &[Signed]) {
    assert!(signatures.iter().all(Signed::is_valid));
}

/// The certificates in `pem`, DER.
pub fn certificates(pem: &[u8]) -> Result<Vec<Vec<u8>>, Box<dyn Error>> {
    let blocks = str::from_utf8(pem)?.split("-----BEGIN CERTIFICATE-----");
    blocks
        .skip(1)
        .map(|block| base64(block.split("-----END").next().unwrap_or_default()))
        .collect()
}

/// The signatures of a TDX quote (version 4, certification data with the PCK chain): of the TD report and of the QE's report; and the PCK chain.
pub fn tdx_quote(quote: &[u8]) -> Result<(Vec<Signed>, Vec<Vec<u8>>), Box<dyn Error>> {
    const SIGNED: usize = 48 + 584;
    let at = |from: usize, length: usize| {
        let from = SIGNED + 4 + from;
        quote.get(from..from + length).ok_or("the quote is short")
    };
    let two = |from| at(from, 2).map(|two| usize::from(u16::from_le_bytes([two[0], two[1]])));
    let attestation_key = [&[4], at(64, 64)?].concat();
    let qe_report = 128 + 6;
    let authentication_data = qe_report + 384 + 64;
    let certification_data = authentication_data + 2 + two(authentication_data)?;
    let pck = certificates(at(certification_data + 6, two(certification_data + 2)?)?)?;
    let quote_signature =
        Signed::with_key(&attestation_key, &quote[..SIGNED], at(0, 64)?, Form::Fixed)?;
    let qe_signature = Signed::by(
        &pck[0],
        at(qe_report, 384)?,
        at(qe_report + 384, 64)?,
        Form::Fixed,
    )?;
    Ok((vec![quote_signature, qe_signature], pck))
}

/// The signature of an SPDM transcript, whose last 96 bytes it is.
pub fn spdm(report: &[u8], leaf: &[u8]) -> Result<Signed, Box<dyn Error>> {
    let (message, signature) = report
        .split_last_chunk::<96>()
        .ok_or("the report is short")?;
    Signed::by(leaf, message, signature, Form::Fixed)
}

/// The signatures of a RIM: of its certificates, and of its `SignedInfo`, which NVIDIA's tool writes nearly canonical.
pub fn rim(xml: &str) -> Result<Vec<Signed>, Box<dyn Error>> {
    let chain: Result<Vec<_>, _> = xml
        .split("<ds:X509Certificate>")
        .skip(1)
        .map(|rest| base64(rest.split('<').next().unwrap_or_default()))
        .collect();
    let chain = chain?;
    let signature = base64(between(xml, "<ds:SignatureValue>", "<")?)?;
    let mut signatures = Signed::chain(&chain)?;
    let leaf = chain.first().ok_or("the RIM has no certificate")?;
    let signed_info = canonical_signed_info(xml)?;
    signatures.push(Signed::by(
        leaf,
        signed_info.as_bytes(),
        &signature,
        Form::Fixed,
    )?);
    Ok(signatures)
}

/// `SignedInfo` with the namespaces in scope and without self-closing elements; no canonicaliser, but [`Signed`] sees that it fits.
fn canonical_signed_info(xml: &str) -> Result<String, Box<dyn Error>> {
    let root = between(xml, "<SoftwareIdentity ", ">")?;
    let namespaces = root.split(' ').filter(|word| word.starts_with("xmlns"));
    let mut namespaces: Vec<_> = namespaces.collect();
    namespaces.push("xmlns:ds=\"http://www.w3.org/2000/09/xmldsig#\"");
    namespaces.sort_by_key(|namespace| namespace.split('=').next());
    let inner = between(xml, "<ds:SignedInfo>", "</ds:SignedInfo>")?;
    let mut canonical = format!("<ds:SignedInfo {}>", namespaces.join(" "));
    for element in inner.split_inclusive('>') {
        match element.strip_suffix("/>") {
            Some(open) => {
                let name = open.trim_start_matches('<').split(' ').next();
                canonical.push_str(&format!("{open}></{}>", name.unwrap_or_default()));
            }
            None => canonical.push_str(element),
        }
    }
    canonical.push_str("</ds:SignedInfo>");
    Ok(canonical)
}

fn between<'a>(text: &'a str, start: &str, end: &str) -> Result<&'a str, String> {
    let found = text
        .split_once(start)
        .and_then(|(_, rest)| rest.split_once(end));
    found
        .map(|(inner, _)| inner)
        .ok_or_else(|| format!("the RIM has no {start}"))
}

fn base64(text: &str) -> Result<Vec<u8>, Box<dyn Error>> {
    let dense: String = text.split_whitespace().collect();
    Ok(BASE64_STANDARD.decode(dense)?)
}
