//! The steps of an OCSP response's verification, and why one was refused.

use crate::{ErrorClass, Step, UnixTime};

const BASIC: &str = "RFC 6960 section 4.2.1";
const ACCEPTANCE: &str = "RFC 6960 section 3.2";

/// Every step in order; the first three are [`super::Response::parse`]'s, the others [`super::Response::verify`]'s.
pub const STEPS: &[Step] = &[
    Step::new(
        "nvidia.ocsp.format",
        "the response is well-formed and about one certificate",
        BASIC,
    ),
    Step::new(
        "nvidia.ocsp.status",
        "the responder had an answer",
        "RFC 6960 section 4.2.1, responseStatus",
    ),
    Step::new(
        "nvidia.ocsp.algorithm",
        "the response uses SHA-384 and ECDSA P-384",
        BASIC,
    ),
    Step::new(
        "nvidia.ocsp.cert_id",
        "the response is about the certificate in question",
        ACCEPTANCE,
    ),
    Step::new(
        "nvidia.ocsp.responder",
        "the responder is the certificate's issuer or appointed by it",
        "RFC 6960 section 4.2.2.2",
    ),
    Step::new(
        "nvidia.ocsp.responder.window",
        "the responder's certificate is valid",
        "RFC 5280 section 6.1",
    ),
    Step::new(
        "nvidia.ocsp.signature",
        "the response is signed by the responder",
        ACCEPTANCE,
    ),
    Step::new(
        "nvidia.ocsp.window",
        "the response is current",
        "RFC 6960 section 4.2.2.1",
    ),
    Step::new(
        "nvidia.ocsp.revoked",
        "the certificate is not revoked",
        "RFC 6960 section 2.2",
    ),
    Step::new(
        "nvidia.ocsp.hold",
        "the certificate is not on hold",
        "RFC 5280 section 5.3.1, certificateHold",
    ),
    Step::new(
        "nvidia.ocsp.unknown",
        "the responder knows the certificate",
        "RFC 6960 section 2.2",
    ),
];

/// The step that failed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum OcspError {
    /// No DER of the profile, or larger than 16 KiB.
    #[error(
        "the OCSP response is malformed, about several certificates or has an unknown critical extension"
    )]
    Format,
    /// `responseStatus` is not `successful`.
    #[error("the OCSP responder had no answer: status {0}")]
    Status(u8),
    /// Another type of response, hash or signature.
    #[error("the OCSP response uses an algorithm that NVIDIA does not use")]
    Algorithm,
    /// About another certificate.
    #[error("the OCSP response is about another certificate")]
    CertId,
    /// Signed by one whom the certificate's issuer has not appointed.
    #[error("the OCSP responder is not appointed by the certificate's issuer")]
    Responder,
    /// The responder's certificate, or the issuer's, is not valid at the caller's time.
    #[error("the OCSP responder's certificate is not valid at this time: fetch a newer response")]
    ResponderWindow,
    /// The responder did not sign it.
    #[error("the signature on the OCSP response is wrong")]
    Signature,
    /// The caller's time is before `thisUpdate` or `producedAt`, or after `nextUpdate`; without the last, more than a day after the first.
    #[error("the OCSP response is not current: fetch a newer one")]
    Window,
    /// Revoked, since then.
    #[error("the certificate is revoked since {}", .0.to_rfc3339())]
    Revoked(UnixTime),
    /// Revoked with reason `certificateHold`, since then: for the time being.
    #[error("the certificate is on hold since {}", .0.to_rfc3339())]
    OnHold(UnixTime),
    /// The responder knows of no such certificate.
    #[error("the OCSP responder does not know the certificate")]
    Unknown,
}

impl OcspError {
    /// Stable code, the id of the step.
    #[must_use]
    pub const fn code(&self) -> &'static str {
        match self {
            Self::Format => "nvidia.ocsp.format",
            Self::Status(_) => "nvidia.ocsp.status",
            Self::Algorithm => "nvidia.ocsp.algorithm",
            Self::CertId => "nvidia.ocsp.cert_id",
            Self::Responder => "nvidia.ocsp.responder",
            Self::ResponderWindow => "nvidia.ocsp.responder.window",
            Self::Signature => "nvidia.ocsp.signature",
            Self::Window => "nvidia.ocsp.window",
            Self::Revoked(_) => "nvidia.ocsp.revoked",
            Self::OnHold(_) => "nvidia.ocsp.hold",
            Self::Unknown => "nvidia.ocsp.unknown",
        }
    }

    /// The step that failed; those before it passed, those after it were not tried.
    #[must_use]
    pub fn step(&self) -> Option<&'static Step> {
        STEPS.iter().find(|step| step.id == self.code())
    }

    /// What the refusal says of the input.
    #[must_use]
    pub const fn class(&self) -> ErrorClass {
        match self {
            Self::Format => ErrorClass::Malformed,
            Self::Algorithm => ErrorClass::Unsupported,
            _ => ErrorClass::Rejected,
        }
    }

    /// Whether a freshly fetched response may pass.
    #[must_use]
    pub const fn retryable(&self) -> bool {
        matches!(self, Self::Status(_) | Self::ResponderWindow | Self::Window)
    }
}
