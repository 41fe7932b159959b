//! Intel's Provisioning Certification Service, API v4: TCB info, QE identity, revocation lists, with their issuers' chains.

use super::{
    Fault, FetchError, Fetcher, PckCa, TdxNeed,
    answer::{Answer, Request, certificates},
};
use attestation::{CollateralBundle, Window, collateral::ItemKind, tdx};
use futures_util::future::try_join4;
use serde::Deserialize;
use serde_json::value::RawValue;
use std::sync::Arc;

const MAX_DOCUMENT_BYTES: usize = 512 * 1024;
/// Room for hexadecimal digits.
const MAX_CRL_BYTES: usize = 1024 * 1024;

/// Everything of one FMSPC.
pub(super) async fn fetch(
    fetcher: &Fetcher,
    need: &TdxNeed,
) -> Result<CollateralBundle, FetchError> {
    let (tcb, qe) = (tcb_info(fetcher, need.fmspc), qe_identity(fetcher));
    let (pck, root) = (pck_crl(fetcher, need.ca), root_ca_crl(fetcher));
    let answers = try_join4(
        fetcher.get(tcb.clone()),
        fetcher.get(qe.clone()),
        fetcher.get(pck.clone()),
        fetcher.get(root),
    )
    .await?;
    let (tcb, qe, pck, root) = answers;
    let collateral = assembled([&tcb, &qe, &pck, &root]).ok_or_else(|| FetchError {
        url: fetcher.sources().pcs.at(""),
        fault: Fault::Malformed("TDX collateral"),
    })?;
    Ok(CollateralBundle {
        tdx: vec![collateral],
        ..CollateralBundle::default()
    })
}

/// Each answer has passed its request's check.
fn assembled([tcb, qe, pck, root]: [&Arc<Answer>; 4]) -> Option<tdx::Collateral> {
    let tcb_info = Signed::read(&tcb.body, "tcbInfo")?;
    let qe_identity = Signed::read(&qe.body, "enclaveIdentity")?;
    Some(tdx::Collateral {
        tcb_info: tcb_info.document,
        tcb_info_signature: tcb_info.signature,
        tcb_info_issuer_chain: issuer_chain(tcb)?,
        qe_identity: qe_identity.document,
        qe_identity_signature: qe_identity.signature,
        qe_identity_issuer_chain: issuer_chain(qe)?,
        root_ca_crl: der(&root.body)?,
        pck_crl: der(&pck.body)?,
        pck_crl_issuer_chain: issuer_chain(pck)?,
        pck_certificate_chain: None,
    })
}

fn tcb_info(fetcher: &Fetcher, fmspc: [u8; 6]) -> Request {
    let fmspc = hex::encode_upper(fmspc);
    let path = format!("/tdx/certification/v4/tcb?fmspc={fmspc}");
    Request {
        url: fetcher.sources().pcs.at(&path),
        post: None,
        chain_header: Some("tcb-info-issuer-chain"),
        max_bytes: MAX_DOCUMENT_BYTES,
        what: "signed TCB info with its issuer's chain",
        window: |answer| signed_window(answer, "tcbInfo", ItemKind::TdxTcbInfo),
    }
}

fn qe_identity(fetcher: &Fetcher) -> Request {
    Request {
        url: fetcher
            .sources()
            .pcs
            .at("/tdx/certification/v4/qe/identity"),
        post: None,
        chain_header: Some("sgx-enclave-identity-issuer-chain"),
        max_bytes: MAX_DOCUMENT_BYTES,
        what: "signed QE identity with its issuer's chain",
        window: |answer| signed_window(answer, "enclaveIdentity", ItemKind::TdxQeIdentity),
    }
}

fn pck_crl(fetcher: &Fetcher, ca: PckCa) -> Request {
    let ca = match ca {
        PckCa::Platform => "platform",
        PckCa::Processor => "processor",
    };
    let path = format!("/sgx/certification/v4/pckcrl?ca={ca}&encoding=der");
    Request {
        url: fetcher.sources().pcs.at(&path),
        post: None,
        chain_header: Some("sgx-pck-crl-issuer-chain"),
        max_bytes: MAX_CRL_BYTES,
        what: "revocation list with its issuer's chain",
        window: |answer| {
            let list = ItemKind::TdxPckCrl.window_of(&der(&answer.body)?)?;
            Some(list.meet(chain_window(answer)?))
        },
    }
}

fn root_ca_crl(fetcher: &Fetcher) -> Request {
    Request {
        url: fetcher.sources().root_ca_crl.at(""),
        post: None,
        chain_header: None,
        max_bytes: MAX_CRL_BYTES,
        what: "revocation list",
        window: |answer| ItemKind::TdxRootCaCrl.window_of(&der(&answer.body)?),
    }
}

/// A document and the signature over exactly its bytes.
struct Signed {
    document: Vec<u8>,
    signature: Vec<u8>,
}

/// The two forms of Intel's answers.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct SignedJson<'a> {
    #[serde(borrow)]
    tcb_info: Option<&'a RawValue>,
    #[serde(borrow)]
    enclave_identity: Option<&'a RawValue>,
    signature: String,
}

impl Signed {
    /// The value of `member`, byte by byte as Intel signed it.
    fn read(body: &[u8], member: &str) -> Option<Self> {
        let json: SignedJson<'_> = serde_json::from_slice(body).ok()?;
        let document = match member {
            "tcbInfo" => json.tcb_info,
            _ => json.enclave_identity,
        };
        let signature = hex::decode(json.signature).ok()?;
        (signature.len() == 64).then_some(())?;
        Some(Self {
            document: document?.get().as_bytes().to_vec(),
            signature,
        })
    }
}

fn signed_window(answer: &Answer, member: &str, kind: ItemKind) -> Option<Window> {
    let signed = Signed::read(&answer.body, member)?;
    let document = kind.window_of(&signed.document)?;
    Some(document.meet(chain_window(answer)?))
}

fn chain_window(answer: &Answer) -> Option<Window> {
    let chain = issuer_chain(answer)?;
    let windows: Option<Vec<_>> = chain
        .iter()
        .map(|certificate| ItemKind::TdxPckCrlIssuerChain.window_of(certificate))
        .collect();
    windows?.into_iter().reduce(Window::meet)
}

/// The header's certificates: PEM, percent-encoded.
fn issuer_chain(answer: &Answer) -> Option<Vec<Vec<u8>>> {
    certificates(&percent_decoded(answer.chain.as_ref()?)?)
}

/// RFC 3986 section 2.1.
fn percent_decoded(text: &str) -> Option<Vec<u8>> {
    let mut parts = text.split('%');
    let mut bytes = parts.next()?.as_bytes().to_vec();
    for part in parts {
        let (digits, rest) = part.split_at_checked(2)?;
        bytes.extend(hex::decode(digits).ok()?);
        bytes.extend(rest.as_bytes());
    }
    Some(bytes)
}

/// A list in DER or in hexadecimal digits of it, as a PCCS has the root's.
fn der(body: &[u8]) -> Option<Vec<u8>> {
    match body.first() {
        Some(0x30) => Some(body.to_vec()),
        _ => hex::decode(body.trim_ascii()).ok(),
    }
}

#[cfg(test)]
mod tests {
    use super::{Signed, der, percent_decoded};

    #[test]
    fn the_signed_bytes_are_kept_as_they_are() {
        let signature = "ab".repeat(64);
        let body =
            format!("{{\"tcbInfo\": {{\"b\" : 1,\n\"a\":2}} ,\"signature\":\"{signature}\"}}");
        let signed = Signed::read(body.as_bytes(), "tcbInfo").unwrap();
        assert_eq!(signed.document, b"{\"b\" : 1,\n\"a\":2}");
        assert_eq!(signed.signature, [0xab; 64]);
        assert!(Signed::read(body.as_bytes(), "enclaveIdentity").is_none());
        let short = body.replace(&signature, "abab");
        assert!(Signed::read(short.as_bytes(), "tcbInfo").is_none());
    }

    #[test]
    fn percent_encoding() {
        assert_eq!(percent_decoded("a%0Ab%20%2B+").unwrap(), b"a\nb ++");
        for malformed in ["%", "%0", "%zz", "a%\u{e9}"] {
            assert!(percent_decoded(malformed).is_none(), "{malformed}");
        }
    }

    #[test]
    fn lists_in_binary_and_in_hexadecimal() {
        assert_eq!(der(b"3082ab\n"), Some(vec![0x30, 0x82, 0xab]));
        assert_eq!(der(&[0x30, 0x82]), Some(vec![0x30, 0x82]));
        assert_eq!(der(b"<html>"), None);
        assert_eq!(der(b""), Some(vec![]));
    }
}
