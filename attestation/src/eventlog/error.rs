//! Why a log was not read, or not replayed.

use crate::ErrorClass;

/// What is wrong with a log, in the order in which it is looked at.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum EventLogError {
    /// More than [`super::MAX_LOG_BYTES`].
    #[error("the event log has {0} bytes, more than any log needs")]
    Size(usize),
    /// The first event is no `TCG_EfiSpecIDEvent` of a crypto-agile log.
    #[error("the event log's header is not that of a crypto-agile log: {0}")]
    Header(&'static str),
    /// The header names an algorithm that this build does not know (SM3 among them).
    #[error(
        "the event log's digests are of the algorithm {0:#06x}, which this build does not know"
    )]
    Algorithm(u16),
    /// An event that is cut off, has other digests than the header names, or is one too many; or padding that is none.
    #[error("the event log has no well-formed event at {offset:#x}")]
    Record {
        /// Offset of the event, in bytes.
        offset: usize,
    },
    /// Events without a SHA-384 digest cannot be replayed to registers of SHA-384.
    #[error(
        "the event log has no SHA-384 digests, and runtime measurement registers are of SHA-384"
    )]
    NoSha384,
    /// An event that was extended into something else than RTMR0 to RTMR3.
    #[error(
        "event {index} is for measurement register {register}; a TD's runtime registers are 1 to 4"
    )]
    Register {
        /// Position of the event, from zero.
        index: usize,
        /// The register index that it names.
        register: u32,
    },
}

impl EventLogError {
    /// Stable code.
    #[must_use]
    pub const fn code(&self) -> &'static str {
        match self {
            Self::Size(_) => "eventlog.size",
            Self::Header(_) => "eventlog.header",
            Self::Algorithm(_) => "eventlog.algorithm",
            Self::Record { .. } => "eventlog.record",
            Self::NoSha384 => "eventlog.sha384",
            Self::Register { .. } => "eventlog.register",
        }
    }

    /// What the refusal says of the input.
    #[must_use]
    pub const fn class(&self) -> ErrorClass {
        match self {
            Self::Algorithm(_) | Self::NoSha384 => ErrorClass::Unsupported,
            Self::Size(_) | Self::Header(_) | Self::Record { .. } => ErrorClass::Malformed,
            Self::Register { .. } => ErrorClass::Rejected,
        }
    }

    /// Never: no fresher collateral mends a log.
    #[must_use]
    pub const fn retryable(&self) -> bool {
        false
    }
}
