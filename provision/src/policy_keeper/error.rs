//! Why nothing, or nothing new, is in force.

use crate::{FileError, PublicKeyError, StoreError, collateral::Fault};
use policy::{PolicyError, PublicationError};
use std::path::PathBuf;

/// The code of a refusal without a mistake, which nobody makes.
const UNTOLD: &str = "policy.document.syntax";

/// Why nothing, or nothing new, is in force; `code()` is stable.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum PolicyKeeperError {
    /// The keys given by hand.
    #[error(transparent)]
    Keys(#[from] PublicKeyError),
    /// The root document.
    #[error("{}: {}", path.display(), lines(mistakes))]
    Root {
        /// The file.
        path: PathBuf,
        /// What is wrong with it.
        mistakes: Vec<PolicyError>,
    },
    /// TLS cannot be set up.
    #[error("TLS cannot be set up: {0}")]
    Tls(rustls::Error),
    /// A file that cannot be read.
    #[error(transparent)]
    File(#[from] FileError),
    /// A file that a server does not give.
    #[error("{url}: {fault}")]
    Fetch {
        /// Its address.
        url: String,
        /// What went wrong.
        fault: Fault,
    },
    /// The source is the gateway, from which nothing came yet.
    #[error("no policy has come through the gateway yet")]
    NothingOffered,
    /// The signatures, the documents, or how they fit together.
    #[error("{from}: {}", lines(mistakes))]
    Publication {
        /// The source.
        from: String,
        /// Every mistake, with its file.
        mistakes: Vec<PublicationError>,
    },
    /// Older than what was in force here, or another of the same version, or without what was there.
    #[error("{from}: {}", lines(mistakes))]
    Succession {
        /// The source.
        from: String,
        /// Every mistake.
        mistakes: Vec<PolicyError>,
    },
    /// The memory of what was obeyed.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// The system's clock is before what was obeyed here: told as an alarm, while the time of what was obeyed is what counts.
    #[error(
        "the system's clock is {behind_seconds} seconds behind the time at which the newest documents were signed or obeyed \
         here: it has been set back, or was ahead before; set it right"
    )]
    ClockSetBack {
        /// How far.
        behind_seconds: u64,
    },
}

/// What is wrong while the last good publication stays in force.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Alarm {
    /// [`PolicyKeeperError::code`].
    pub code: &'static str,
    /// What it says.
    pub message: String,
}

impl PolicyKeeperError {
    /// Stable code: that of the first mistake.
    #[must_use]
    pub fn code(&self) -> &'static str {
        match self {
            Self::Keys(error) => error.code(),
            Self::Tls(_) => "policy.fetch.tls",
            Self::File(error) => error.code(),
            Self::Fetch { fault, .. } => fetch_code(fault),
            Self::NothingOffered => "policy.nothing_offered",
            Self::Root { mistakes, .. } | Self::Succession { mistakes, .. } => {
                mistakes.first().map_or(UNTOLD, PolicyError::code)
            }
            Self::Publication { mistakes, .. } => {
                mistakes.first().map_or(UNTOLD, PublicationError::code)
            }
            Self::Store(error) => error.code(),
            Self::ClockSetBack { .. } => "policy.clock.set_back",
        }
    }

    /// Whether nothing is known to be wrong but the way to the documents: the same may succeed later.
    #[must_use]
    pub const fn retryable(&self) -> bool {
        match self {
            Self::Fetch { fault, .. } => fault.retryable(),
            Self::NothingOffered | Self::Store(StoreError::Busy { .. }) => true,
            _ => false,
        }
    }
}

impl Alarm {
    pub(super) fn of(error: &PolicyKeeperError) -> Self {
        Self {
            code: error.code(),
            message: error.to_string(),
        }
    }
}

const fn fetch_code(fault: &Fault) -> &'static str {
    match fault {
        Fault::Unreachable(_) => "policy.fetch.unreachable",
        Fault::TimedOut => "policy.fetch.timed_out",
        Fault::Unavailable { .. } => "policy.fetch.unavailable",
        Fault::NotFound => "policy.fetch.not_found",
        Fault::Refused(_) => "policy.fetch.refused",
        Fault::TooLarge(_) => "policy.fetch.too_large",
        Fault::Malformed(_) => "policy.fetch.malformed",
    }
}

fn lines(mistakes: &[impl ToString]) -> String {
    let lines: Vec<_> = mistakes.iter().map(ToString::to_string).collect();
    lines.join("\n  ")
}
