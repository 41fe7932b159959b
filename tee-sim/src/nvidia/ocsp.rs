//! An OCSP response (RFC 6960) about one certificate.

use super::Signer;
use crate::{
    der::{
        bit_string, element, enumerated, explicit, object_identifier, octet_string, sequence,
        unsigned_integer,
    },
    x509::{Certificate, Key},
};
use attestation::UnixTime;
use aws_lc_rs::digest::{SHA384, digest};

const BASIC: &[u32] = &[1, 3, 6, 1, 5, 5, 7, 48, 1, 1];
const NONCE: &[u32] = &[1, 3, 6, 1, 5, 5, 7, 48, 1, 2];
const SHA384_OID: &[u32] = &[2, 16, 840, 1, 101, 3, 4, 2, 2];

/// A response before it is signed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OcspResponse {
    /// The certificate in question.
    pub about: About,
    /// `responseStatus`; with another than 0 there is nothing more.
    pub status: u8,
    /// `responseType`.
    pub kind: Vec<u32>,
    /// Which hash the certificate is identified by, as it says; the hashes are SHA-384 all the same.
    pub hash: Vec<u32>,
    /// What it says.
    pub answer: Answer,
    /// When it was signed.
    pub produced_at: UnixTime,
    /// From when it holds.
    pub this_update: UnixTime,
    /// Until when.
    pub next_update: Option<UnixTime>,
    /// The request's nonce.
    pub nonce: Option<Vec<u8>>,
    /// The responder's certificate; `None`: the issuer signs itself.
    pub responder: Option<Certificate>,
    /// Who signs the responder's certificate; `None`: the issuer of the certificate in question.
    pub appointed_by: Option<Signer>,
    /// Whose key signs the response.
    pub signer: Signer,
    /// What follows it.
    pub trailing: Vec<u8>,
}

/// A certificate, counted from its chain's leaf.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum About {
    /// Of the device.
    Device(usize),
    /// Of the signer of manifests.
    Rim(usize),
}

/// `CertStatus`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Answer {
    /// Not revoked.
    Good,
    /// Revoked since then, with a `CRLReason`.
    Revoked(UnixTime, Option<u8>),
    /// The responder knows no such certificate.
    Unknown,
}

/// The certificate in question, its issuer, and whose keys sign.
pub(super) struct Parties<'a> {
    pub(super) subject: &'a Certificate,
    pub(super) issuer: &'a Certificate,
    pub(super) issuer_key: &'a Key,
    pub(super) appointing_key: &'a Key,
    pub(super) signer: &'a Key,
}

impl OcspResponse {
    /// Good for a day from `now`.
    pub(super) fn good(about: About, responder: Certificate, now: UnixTime) -> Self {
        Self {
            about,
            status: 0,
            kind: BASIC.to_vec(),
            hash: SHA384_OID.to_vec(),
            answer: Answer::Good,
            produced_at: now,
            this_update: now,
            next_update: Some(now.plus(86_400)),
            nonce: None,
            responder: Some(responder),
            appointed_by: None,
            signer: Signer::Responder,
            trailing: Vec::new(),
        }
    }

    /// `OCSPResponse`, DER.
    pub(super) fn to_der(&self, parties: &Parties<'_>) -> Vec<u8> {
        if self.status != 0 {
            return sequence(&[enumerated(self.status)]);
        }
        let basic = octet_string(&self.basic(parties));
        let bytes = sequence(&[object_identifier(&self.kind), basic]);
        let mut der = sequence(&[enumerated(0), explicit(0, &bytes)]);
        der.extend_from_slice(&self.trailing);
        der
    }

    fn basic(&self, parties: &Parties<'_>) -> Vec<u8> {
        let data = self.data(parties);
        let raw = parties.signer.sign(&data);
        let (r, s) = raw.split_at(raw.len() / 2);
        let signature = sequence(&[unsigned_integer(r), unsigned_integer(s)]);
        let mut members = vec![data, parties.signer.algorithm(), bit_string(&signature)];
        if let Some(responder) = &self.responder {
            let certificate = responder.sign(parties.appointing_key);
            members.push(explicit(0, &sequence(&[certificate])));
        }
        sequence(&members)
    }

    /// `ResponseData`; the responder is named by its key.
    fn data(&self, parties: &Parties<'_>) -> Vec<u8> {
        let responder = explicit(2, &octet_string(&parties.signer.identifier()));
        let mut single = vec![
            self.cert_id(parties),
            self.answer.to_der(),
            generalized_time(self.this_update),
        ];
        let next_update = self.next_update.map(generalized_time);
        single.extend(next_update.map(|time| explicit(0, &time)));
        let mut data = vec![
            responder,
            generalized_time(self.produced_at),
            sequence(&[sequence(&single)]),
        ];
        data.extend(self.nonce.as_deref().map(nonce));
        sequence(&data)
    }

    fn cert_id(&self, parties: &Parties<'_>) -> Vec<u8> {
        let name = parties.issuer.subject.to_der();
        let hash = |bytes: &[u8]| octet_string(digest(&SHA384, bytes).as_ref());
        sequence(&[
            sequence(&[object_identifier(&self.hash), element(0x05, &[])]),
            hash(&name),
            hash(parties.issuer_key.public_key()),
            unsigned_integer(&parties.subject.serial),
        ])
    }
}

impl Answer {
    fn to_der(self) -> Vec<u8> {
        match self {
            Self::Good => element(0x80, &[]),
            Self::Unknown => element(0x82, &[]),
            Self::Revoked(at, reason) => {
                let mut members = generalized_time(at);
                members.extend(
                    reason
                        .into_iter()
                        .flat_map(|one| explicit(0, &enumerated(one))),
                );
                explicit(1, &members)
            }
        }
    }
}

/// `[1] Extensions` of a nonce alone.
fn nonce(value: &[u8]) -> Vec<u8> {
    let value = octet_string(&octet_string(value));
    let extension = sequence(&[object_identifier(NONCE), value]);
    explicit(1, &sequence(&[extension]))
}

fn generalized_time(at: UnixTime) -> Vec<u8> {
    let text = at.to_rfc3339();
    let digits: String = text.chars().filter(char::is_ascii_digit).collect();
    element(0x18, format!("{digits}Z").as_bytes())
}
