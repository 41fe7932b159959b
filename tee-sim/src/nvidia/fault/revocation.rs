//! Of OCSP responses.

use super::{Fault, PAST, fault};
use crate::{
    nvidia::{About, Answer, Draft, EXTENDED_KEY_USAGE, OcspResponse, Signer},
    vendor::NOT_BEFORE,
    x509::{Certificate, Extension, Name, oids},
};

const SHA1: [u32; 6] = [1, 3, 14, 3, 2, 26];

#[rustfmt::skip]
pub(super) const FAULTS: &[Fault] = &[
    fault("a byte behind the response", "nvidia.ocsp.format", |d| one(d).trailing.push(0)),
    fault("try later", "nvidia.ocsp.status", |d| one(d).status = 3),
    fault("another type of response", "nvidia.ocsp.algorithm", |d| one(d).kind.push(1)),
    fault("certificates named by SHA-1", "nvidia.ocsp.algorithm", |d| one(d).hash = SHA1.to_vec()),
    fault("a responder of nobody's", "nvidia.ocsp.responder", |d| one(d).appointed_by = Some(Signer::Stranger)),
    fault("a responder of another issuer's", "nvidia.ocsp.responder", |d| responder(d).issuer = Name::nvidia("Invented GH100 Identity")),
    fault("a responder that may not answer", "nvidia.ocsp.responder", |d| responder(d).without(EXTENDED_KEY_USAGE)),
    fault("a responder that is an authority", "nvidia.ocsp.responder", |d| *responder(d).extension(oids::BASIC_CONSTRAINTS) = Extension::authority(None)),
    fault("a responder of the past", "nvidia.ocsp.responder.window", |d| responder(d).validity = PAST),
    fault("signed by nobody", "nvidia.ocsp.signature", |d| one(d).signer = Signer::Stranger),
    fault("signed by nobody, without a certificate", "nvidia.ocsp.signature", |d| one(d).responder = None),
    fault("over", "nvidia.ocsp.window", |d| { let response = one(d); response.next_update = Some(response.this_update.plus(1)); }),
    fault("not yet", "nvidia.ocsp.window", |d| { let response = one(d); response.this_update = response.this_update.plus(86_400); response.next_update = None; }),
    fault("signed in the future", "nvidia.ocsp.window", |d| { let response = one(d); response.produced_at = response.produced_at.plus(86_399); }),
    fault("without end, and old", "nvidia.ocsp.window", |d| { let response = one(d); response.this_update = NOT_BEFORE; response.next_update = None; }),
    fault("revoked", "nvidia.ocsp.revoked", |d| one(d).answer = Answer::Revoked(NOT_BEFORE, None)),
    fault("revoked: its key is known", "nvidia.ocsp.revoked", |d| one(d).answer = Answer::Revoked(NOT_BEFORE, Some(1))),
    fault("a signer of manifests revoked", "nvidia.ocsp.revoked", |d| of_rim(d).answer = Answer::Revoked(NOT_BEFORE, Some(1))),
    fault("on hold", "nvidia.ocsp.hold", |d| one(d).answer = Answer::Revoked(NOT_BEFORE, Some(6))),
    fault("not known", "nvidia.ocsp.unknown", |d| one(d).answer = Answer::Unknown),
    fault("a good and a bad answer", "nvidia.ocsp.revoked", |d| { let mut bad = one(d).clone(); bad.answer = Answer::Revoked(NOT_BEFORE, None); d.ocsp.push(bad); }),
    fault("no response about the ROM", "nvidia.complete", |d| { d.ocsp.remove(0); }),
    fault("no response about a signer of manifests", "nvidia.complete", |d| d.ocsp.retain(|response| response.about != About::Rim(0))),
];

fn one(draft: &mut Draft) -> &mut OcspResponse {
    draft.ocsp.first_mut().expect("a response about the ROM")
}

fn of_rim(draft: &mut Draft) -> &mut OcspResponse {
    let mut responses = draft.ocsp.iter_mut();
    let found = responses.find(|response| response.about == About::Rim(0));
    found.expect("a response about the signer")
}

fn responder(draft: &mut Draft) -> &mut Certificate {
    let responder = one(draft).responder.as_mut();
    responder.expect("a responder's certificate")
}
