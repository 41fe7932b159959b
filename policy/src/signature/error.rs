//! Why an envelope or a root was refused.

/// Why an envelope or a root was refused; `code()` is stable.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum SignatureError {
    /// A root without keys.
    #[error("the policy root has no keys: give at least one public key")]
    NoKeys,
    /// A root with more than [`super::MAX_KEYS`] keys.
    #[error("the policy root has {found} keys; the limit is {}", super::MAX_KEYS)]
    TooManyKeys {
        /// Number of keys given.
        found: usize,
    },
    /// A root that names one key twice.
    #[error("the policy root names the key {keyid} twice")]
    DoubledKey {
        /// SHA-256 of the key, hex.
        keyid: String,
    },
    /// A threshold of zero or above the number of keys.
    #[error(
        "a threshold of {threshold} cannot be met by {keys} keys: give a number from 1 to {keys}"
    )]
    Threshold {
        /// The threshold given.
        threshold: usize,
        /// Number of keys given.
        keys: usize,
    },
    /// An envelope longer than its kind may be ([`super::PayloadType::max_envelope_bytes`]).
    #[error("the envelope is larger than {limit_bytes} bytes")]
    TooLarge {
        /// The most for its kind.
        limit_bytes: usize,
    },
    /// Not a DSSE envelope in JSON.
    #[error("not a DSSE envelope: {0}")]
    Malformed(String),
    /// More than [`super::MAX_SIGNATURES`] signatures.
    #[error(
        "the envelope carries {found} signatures; the limit is {}",
        super::MAX_SIGNATURES
    )]
    TooManySignatures {
        /// Number of signatures.
        found: usize,
    },
    /// More signatures without a `keyid` than the root has keys: each would be tried under each key.
    #[error("the envelope carries {unnamed} signatures without a keyid; the root has {keys} keys")]
    TooManyUnnamed {
        /// Signatures without a hint.
        unnamed: usize,
        /// The root's keys.
        keys: usize,
    },
    /// An envelope for another kind of document.
    #[error("the envelope is for {found:?}, not for {expected:?}")]
    PayloadType {
        /// What was asked for.
        expected: &'static str,
        /// What the envelope says.
        found: String,
    },
    /// An envelope without any signature.
    #[error("the envelope carries no signature: sign it with `narthex policy sign`")]
    Unsigned,
    /// A signature that says it is by a key of the root, and is not.
    #[error("the signature with keyid {keyid} does not verify under that key")]
    Invalid {
        /// SHA-256 of the key, hex.
        keyid: String,
    },
    /// Too few distinct keys, although there are enough valid signatures: a key signed more than once.
    #[error("{needed} distinct keys must sign; {found} did, one of them more than once")]
    Doubled {
        /// The root's threshold.
        needed: usize,
        /// Distinct keys of the root that signed.
        found: usize,
    },
    /// Too few distinct keys of the root signed.
    #[error("{needed} distinct keys of the policy root must sign; {found} did")]
    TooFew {
        /// The root's threshold.
        needed: usize,
        /// Distinct keys of the root that signed.
        found: usize,
    },
}

impl SignatureError {
    /// Stable code, e.g. `policy.signature.too_few`.
    #[must_use]
    pub const fn code(&self) -> &'static str {
        match self {
            Self::NoKeys => "policy.root.no_keys",
            Self::TooManyKeys { .. } => "policy.root.too_many_keys",
            Self::DoubledKey { .. } => "policy.root.doubled_key",
            Self::Threshold { .. } => "policy.root.threshold",
            Self::TooLarge { .. } => "policy.signature.too_large",
            Self::Malformed(_) => "policy.signature.malformed",
            Self::TooManySignatures { .. } => "policy.signature.too_many",
            Self::TooManyUnnamed { .. } => "policy.signature.too_many_unnamed",
            Self::PayloadType { .. } => "policy.signature.payload_type",
            Self::Unsigned => "policy.signature.unsigned",
            Self::Invalid { .. } => "policy.signature.invalid",
            Self::Doubled { .. } => "policy.signature.doubled",
            Self::TooFew { .. } => "policy.signature.too_few",
        }
    }
}
