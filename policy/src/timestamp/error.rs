//! Why a timestamp does not fit what stands beside it.

use attestation::UnixTime;

/// Why a timestamp does not fit what stands beside it; `code()` is stable.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum TimestampError {
    /// It names a newer document, or another one of that version: somebody withholds it, or only a part has arrived.
    #[error("the timestamp names version {listed} of {document}; what is here is {here}")]
    Stale {
        /// The document.
        document: &'static str,
        /// Version or serial that the timestamp names.
        listed: u64,
        /// What is here instead.
        here: Here,
    },
    /// Issued so far ahead that the clock here or there is wrong.
    #[error("the timestamp was issued at {}, which is more than a day ahead of the clock here", .issued.to_rfc3339())]
    Future {
        /// Its `issued`.
        issued: UnixTime,
    },
}

/// What stands where a timestamp names something else.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Here {
    /// Nothing.
    Nothing,
    /// An older version.
    Version(u64),
    /// Another document of that version.
    Other,
}

impl TimestampError {
    /// Stable code, e.g. `policy.timestamp.stale`.
    #[must_use]
    pub const fn code(&self) -> &'static str {
        match self {
            Self::Stale { .. } => "policy.timestamp.stale",
            Self::Future { .. } => "policy.timestamp.future",
        }
    }
}

impl std::fmt::Display for Here {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Nothing => f.write_str("nothing"),
            Self::Version(version) => write!(f, "version {version}"),
            Self::Other => f.write_str("another document of that version"),
        }
    }
}
