//! OCSP responses (RFC 6960), stapled or cached: whether one certificate is revoked, as its issuer or a responder of that issuer's says.
//!
//! Of the profile that NVIDIA's responders keep: one basic response about one certificate, identified with SHA-384 and signed with ECDSA P-384, and the
//! responder's certificate, which the issuer of the certificate in question has signed itself. `responderID` is not looked at: it only helps to find the
//! signer, who is found here by verifying.

mod data;
mod error;
mod fields;
mod response;

pub use error::{OcspError, STEPS};

use crate::{
    UnixTime, Window, crypto,
    x509::{
        Algorithm, Certificate, PublicKey,
        path::{self, PathFault, Rules},
    },
};
use data::{CertId, CertStatus};
use der::{Decode as _, asn1::ObjectIdentifier};
use response::Parts;
use x509_cert::ext::pkix::ExtendedKeyUsage;

/// How long a response holds that says no `nextUpdate`: as long as NVIDIA lets its own hold, a day.
const MAX_AGE_SECONDS: u64 = 24 * 60 * 60;

const EXTENDED_KEY_USAGE: ObjectIdentifier = ObjectIdentifier::new_unwrap("2.5.29.37");
const OCSP_SIGNING: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.3.6.1.5.5.7.3.9");

const RULES: Rules = Rules {
    algorithm: Algorithm::EcdsaP384Sha384,
    known_critical: |oid| oid == EXTENDED_KEY_USAGE,
};

/// A well-formed response whose signature nobody has looked at yet.
pub struct Response<'a>(Parts<'a>);

/// What a response says of a certificate that is neither revoked nor held nor unknown.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Status {
    /// When both the response and its responder's certificate hold.
    pub window: Window,
    /// When the responder signed it.
    pub produced_at: UnixTime,
    /// The nonce of the request that it answers; cached responses have none.
    pub nonce: Option<Vec<u8>>,
}

impl<'a> Response<'a> {
    /// Parses DER; trailing bytes, a critical extension that is not known and more than one answer are refused.
    pub fn parse(der: &'a [u8]) -> Result<Self, OcspError> {
        response::parse(der).map(Self)
    }

    /// Verifies that `issuer` (DER, and trusted for the time in question by the caller) or its responder says at `now` that `subject` (DER) is not revoked.
    pub fn verify(
        &self,
        subject: &[u8],
        issuer: &[u8],
        now: UnixTime,
    ) -> Result<Status, OcspError> {
        let subject = Certificate::parse(subject).ok_or(OcspError::CertId)?;
        let issuer = Certificate::parse(issuer).ok_or(OcspError::CertId)?;
        self.check(&subject, &issuer, now)
    }

    /// When it holds by its own words; not verified.
    #[must_use]
    pub fn unverified_window(&self) -> Window {
        self.window()
    }

    /// Serial number of the certificate that it says it is about, big-endian; not verified.
    #[must_use]
    pub fn unverified_serial(&self) -> &[u8] {
        self.0.data.single.cert_id.serial
    }

    /// Whether it is about `subject`, a certificate of `issuer`'s.
    pub(crate) fn is_about(&self, subject: &Certificate<'_>, issuer: &Certificate<'_>) -> bool {
        let id = &self.0.data.single.cert_id;
        subject.issuer() == issuer.subject()
            && id.serial == subject.serial()
            && is_of_issuer(id, issuer).unwrap_or(false)
    }

    /// [`Response::verify`] for certificates that are parsed already; in the order of [`STEPS`].
    pub(crate) fn check(
        &self,
        subject: &Certificate<'_>,
        issuer: &Certificate<'_>,
        now: UnixTime,
    ) -> Result<Status, OcspError> {
        if !self.is_about(subject, issuer) {
            return Err(OcspError::CertId);
        }
        let responder = self.check_signature(issuer, now)?;
        let window = self.window();
        if !window.contains(now) {
            return Err(OcspError::Window);
        }
        self.check_status()?;
        Ok(Status {
            window: window.meet(responder),
            produced_at: self.0.data.produced_at,
            nonce: self.0.data.nonce.map(<[u8]>::to_vec),
        })
    }

    /// Finds the signer, the issuer or a responder of its own, and verifies; answers when the signer's certificate is valid.
    fn check_signature(
        &self,
        issuer: &Certificate<'_>,
        now: UnixTime,
    ) -> Result<Window, OcspError> {
        let Some(der) = self.0.responder.filter(|der| *der != issuer.der()) else {
            self.check_signed_by(issuer)?;
            return Ok(issuer.window());
        };
        let responder = [Certificate::parse(der).ok_or(OcspError::Format)?];
        let window = path::validate(&responder, issuer, &RULES, now).map_err(responder_error)?;
        let [responder] = responder;
        if !may_sign_responses(&responder) {
            return Err(OcspError::Responder);
        }
        self.check_signed_by(&responder)?;
        Ok(window)
    }

    fn check_signed_by(&self, signer: &Certificate<'_>) -> Result<(), OcspError> {
        let key = signer.p384_key().map(PublicKey::P384);
        let verifies = key.is_some_and(|key| key.verifies(self.0.to_be_signed, self.0.signature));
        verifies.then_some(()).ok_or(OcspError::Signature)
    }

    fn window(&self) -> Window {
        let oldest = || self.0.data.single.this_update.plus(MAX_AGE_SECONDS);
        Window {
            not_before: self.0.data.single.this_update.max(self.0.data.produced_at),
            not_after: self.0.data.single.next_update.unwrap_or_else(oldest),
        }
    }

    const fn check_status(&self) -> Result<(), OcspError> {
        match self.0.data.single.status {
            CertStatus::Good => Ok(()),
            CertStatus::Revoked(at) => Err(OcspError::Revoked(at)),
            CertStatus::OnHold(since) => Err(OcspError::OnHold(since)),
            CertStatus::Unknown => Err(OcspError::Unknown),
        }
    }
}

/// Whether `id` has the hashes of `issuer`'s name and key (RFC 6960 section 4.1.1).
fn is_of_issuer(id: &CertId<'_>, issuer: &Certificate<'_>) -> Option<bool> {
    let name = issuer.subject();
    let key = issuer.p384_key()?;
    Some(id.name_hash == crypto::sha384(name.der()) && id.key_hash == crypto::sha384(key))
}

/// Whether its issuer made it a responder (RFC 6960 section 4.2.2.2).
fn may_sign_responses(certificate: &Certificate<'_>) -> bool {
    let usage = certificate.extension(EXTENDED_KEY_USAGE);
    usage
        .and_then(|usage| ExtendedKeyUsage::from_der(usage).ok())
        .is_some_and(|usage| usage.0.contains(&OCSP_SIGNING))
}

const fn responder_error(fault: PathFault) -> OcspError {
    match fault {
        PathFault::NotYetValid(_) | PathFault::Expired(_) => OcspError::ResponderWindow,
        _ => OcspError::Responder,
    }
}
