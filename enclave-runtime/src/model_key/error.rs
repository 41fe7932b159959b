//! Why a runtime got no key.

use attestation::EvidenceError;
use protocol::key_release::OpenKeyError;
use provision::HttpsError;

/// Why a runtime got no key, in the order of the steps; `code()` is stable.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ModelKeyError {
    /// The policy that this runtime obeys was not verified under a root.
    #[error("the policy was not verified under a root")]
    PolicyRoot,
    /// No answer.
    #[error(transparent)]
    Https(#[from] HttpsError),
    /// The address makes no request.
    #[error("the address of the key server makes no request")]
    Address,
    /// An answer that is no key and no challenge; the server's own log has the reason.
    #[error("the key server refused: HTTP {status}{}", said(.code.as_deref()))]
    Refused {
        /// HTTP's.
        status: u16,
        /// The server's, if it told one.
        code: Option<String>,
    },
    /// Not the challenge that the protocol has.
    #[error("the key server's challenge is malformed")]
    Challenge,
    /// The platform gave no evidence, or none that this server reads.
    #[error(transparent)]
    Evidence(#[from] EvidenceError),
    /// This TEE's evidence has no form that the key broker reads and this runtime writes.
    #[error("evidence for a key broker is written for TDX only")]
    Tee,
    /// The sealed key does not open.
    #[error(transparent)]
    Sealed(#[from] OpenKeyError),
    /// The key broker's encrypted answer, by the part that is wrong.
    #[error("the key broker's answer: {0}")]
    Jwe(&'static str),
    /// What the key broker has is no key.
    #[error("what the key broker has there is not a key of 32 bytes")]
    Length,
    /// A thread of this process is gone.
    #[error("asking for the key broke off")]
    BrokenOff,
}

fn said(code: Option<&str>) -> String {
    code.map_or_else(String::new, |code| format!(", {code}"))
}

impl ModelKeyError {
    /// Stable code.
    #[must_use]
    pub const fn code(&self) -> &'static str {
        match self {
            Self::PolicyRoot => "model_key.policy_root",
            Self::Https(error) => error.code(),
            Self::Address => "model_key.address",
            Self::Refused { .. } => "model_key.refused",
            Self::Challenge => "model_key.challenge",
            Self::Evidence(EvidenceError::Unavailable(_)) => "evidence.unavailable",
            Self::Evidence(EvidenceError::Mismatch) => "evidence.mismatch",
            Self::Tee => "model_key.tee",
            Self::Sealed(error) => error.code(),
            Self::Jwe(_) => "model_key.jwe",
            Self::Length => "model_key.length",
            Self::BrokenOff => "model_key.broken_off",
        }
    }

    /// Whether asking again cannot help: what is wrong is here. A server that refuses may learn of a newer policy.
    #[must_use]
    pub const fn is_final(&self) -> bool {
        match self {
            Self::Https(error) => !matches!(
                error,
                HttpsError::Unreachable(_) | HttpsError::TimedOut | HttpsError::TooLarge(_)
            ),
            Self::PolicyRoot | Self::Address | Self::Tee => true,
            _ => false,
        }
    }
}
