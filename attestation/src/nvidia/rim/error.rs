//! Why a reference integrity manifest was refused: one variant per step, in the order of the steps.

use super::STEPS;
use crate::{ErrorClass, Step};

/// The step that failed. Certificates are counted from the manifest's signer, which is 0.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum RimError {
    /// Larger than 256 KiB.
    #[error("the RIM has {0} bytes; this build reads up to 262144")]
    Size(usize),
    /// Not XML, or XML that NVIDIA does not write.
    #[error("the RIM's XML is refused at byte {offset}: {reason}")]
    Xml {
        /// Where.
        offset: usize,
        /// What.
        reason: &'static str,
    },
    /// No SWID tag of NVIDIA's layout.
    #[error("the RIM's SWID tag is not as NVIDIA writes it: {0}")]
    Tag(&'static str),
    /// A `Resource` is malformed, or its index has been there before; or there is none.
    #[error("the RIM's measurement number {0} is malformed or a duplicate")]
    Measurement(usize),
    /// The `Signature` element is not of the one form that NVIDIA uses.
    #[error("the RIM's signature is not as NVIDIA writes it: {0}")]
    SignatureFormat(&'static str),
    /// Another canonicalisation, digest, signature algorithm or transform.
    #[error("the RIM is signed by other algorithms than NVIDIA uses")]
    SignatureAlgorithm,
    /// An `X509Certificate` is none.
    #[error("certificate {0} of the RIM is not a DER certificate in base64")]
    ChainFormat(usize),
    /// The tag is not the one whose digest was signed.
    #[error("the RIM was changed after it was signed")]
    Digest,
    /// The chain does not lead to NVIDIA's RIM root.
    #[error("the issuer of certificate {0} of the RIM does not come next in its chain")]
    ChainIssuer(usize),
    /// Basic constraints, key usage or an unknown critical extension forbid the certificate's place in the path.
    #[error("certificate {0} of the RIM may not stand where it does in the chain")]
    ChainConstraints(usize),
    /// Another algorithm than ECDSA P-384 with SHA-384.
    #[error("certificate {0} of the RIM uses an algorithm that NVIDIA does not use")]
    ChainAlgorithm(usize),
    /// The issuer did not sign it.
    #[error("the signature on certificate {0} of the RIM is wrong")]
    ChainSignature(usize),
    /// Not valid yet at the caller's time.
    #[error("certificate {0} of the RIM is not valid yet")]
    ChainNotYetValid(usize),
    /// Not valid any more at the caller's time.
    #[error("certificate {0} of the RIM has expired: fetch a newer RIM")]
    ChainExpired(usize),
    /// The signer did not sign the digest.
    #[error("the signature on the RIM is wrong")]
    Signature,
}

impl RimError {
    /// Stable code, the id of the step.
    #[must_use]
    pub const fn code(&self) -> &'static str {
        match self {
            Self::Size(_) => "nvidia.rim.size",
            Self::Xml { .. } => "nvidia.rim.xml",
            Self::Tag(_) => "nvidia.rim.tag",
            Self::Measurement(_) => "nvidia.rim.measurements",
            Self::SignatureFormat(_) => "nvidia.rim.signature.format",
            Self::SignatureAlgorithm => "nvidia.rim.signature.algorithm",
            Self::ChainFormat(_) => "nvidia.rim.chain.format",
            Self::Digest => "nvidia.rim.digest",
            Self::ChainIssuer(_) => "nvidia.rim.chain.issuer",
            Self::ChainConstraints(_) => "nvidia.rim.chain.constraints",
            Self::ChainAlgorithm(_) => "nvidia.rim.chain.algorithm",
            Self::ChainSignature(_) => "nvidia.rim.chain.signature",
            Self::ChainNotYetValid(_) => "nvidia.rim.chain.not_yet_valid",
            Self::ChainExpired(_) => "nvidia.rim.chain.expired",
            Self::Signature => "nvidia.rim.signature",
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
            Self::Size(_)
            | Self::Xml { .. }
            | Self::Tag(_)
            | Self::Measurement(_)
            | Self::SignatureFormat(_)
            | Self::ChainFormat(_) => ErrorClass::Malformed,
            Self::SignatureAlgorithm => ErrorClass::Unsupported,
            _ => ErrorClass::Rejected,
        }
    }

    /// Whether a freshly fetched manifest for the same firmware may pass.
    #[must_use]
    pub const fn retryable(&self) -> bool {
        matches!(self, Self::ChainNotYetValid(_) | Self::ChainExpired(_))
    }
}
