//! NVIDIA's OCSP responder (RFC 6960): the status of one certificate, without a nonce, so that the response can be kept.

use super::{
    FetchError, Fetcher,
    answer::{Answer, Request},
};
use attestation::{CollateralBundle, collateral::ItemKind, nvidia::References};
use aws_lc_rs::digest::{SHA384, digest};
use der::{Decode as _, Encode as _};
use x509_cert::Certificate;

const MAX_RESPONSE_BYTES: usize = 16 * 1024;

/// `AlgorithmIdentifier` of SHA-384, parameters NULL.
const SHA384_IDENTIFIER: &[u8] = b"\x30\x0d\x06\x09\x60\x86\x48\x01\x65\x03\x04\x02\x02\x05\x00";

/// A certificate whose status is asked for, with its issuer's.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct OcspNeed {
    /// DER.
    pub certificate: Vec<u8>,
    /// DER.
    pub issuer: Vec<u8>,
}

impl OcspNeed {
    /// One for each certificate of `chain` (DER, leaf first) that has its issuer above it.
    #[must_use]
    pub fn of_chain(chain: &[Vec<u8>]) -> Vec<Self> {
        let pairs = chain.windows(2).filter_map(|pair| {
            let [certificate, issuer] = pair else {
                return None;
            };
            Some(Self {
                certificate: certificate.clone(),
                issuer: issuer.clone(),
            })
        });
        pairs.collect()
    }

    /// `OCSPRequest` for it; `None` if one of the certificates is none.
    fn request(&self) -> Option<Vec<u8>> {
        let subject = Certificate::from_der(&self.certificate).ok()?;
        let issuer = Certificate::from_der(&self.issuer).ok()?;
        let issuer = issuer.tbs_certificate();
        let name = issuer.subject().to_der().ok()?;
        let key = issuer
            .subject_public_key_info()
            .subject_public_key
            .as_bytes()?;
        let serial = subject.tbs_certificate().serial_number().to_der().ok()?;
        let certificate_id = sequence(&[
            SHA384_IDENTIFIER,
            &octet_string(digest(&SHA384, &name).as_ref()),
            &octet_string(digest(&SHA384, key).as_ref()),
            &serial,
        ]);
        // OCSPRequest { TBSRequest { requestList { Request { reqCert } } } }
        let request = sequence(&[&certificate_id]);
        let list = sequence(&[&request]);
        Some(sequence(&[&sequence(&[&list])]))
    }
}

/// The response for this certificate; nothing for a certificate that cannot be asked about.
pub(super) async fn fetch(
    fetcher: &Fetcher,
    need: &OcspNeed,
) -> Result<CollateralBundle, FetchError> {
    let Some(request) = need.request() else {
        return Ok(CollateralBundle::default());
    };
    let answer = fetcher.get(http_request(fetcher, request)).await?;
    Ok(CollateralBundle {
        nvidia: References {
            ocsp: vec![answer.body.clone()],
            ..References::default()
        },
        ..CollateralBundle::default()
    })
}

fn http_request(fetcher: &Fetcher, request: Vec<u8>) -> Request {
    Request {
        url: fetcher.sources().ocsp.at(""),
        post: Some((request, "application/ocsp-request")),
        chain_header: None,
        max_bytes: MAX_RESPONSE_BYTES,
        what: "OCSP response",
        window: |answer: &Answer| ItemKind::NvidiaOcsp.window_of(&answer.body),
    }
}

fn sequence(parts: &[&[u8]]) -> Vec<u8> {
    tlv(0x30, &parts.concat())
}

fn octet_string(content: &[u8]) -> Vec<u8> {
    tlv(0x04, content)
}

/// DER with a definite length of at most two bytes: a request takes less than 300.
fn tlv(tag: u8, content: &[u8]) -> Vec<u8> {
    let length = u16::try_from(content.len()).unwrap_or(u16::MAX);
    let [high, low] = length.to_be_bytes();
    let header = match length {
        0..=0x7f => vec![tag, low],
        0x80..=0xff => vec![tag, 0x81, low],
        _ => vec![tag, 0x82, high, low],
    };
    [header.as_slice(), content].concat()
}
