//! Why a publication was refused: in which file, at which entry, and what is wrong there.

use crate::PolicyError;
use attestation::UnixTime;
use std::fmt;

/// One thing that is wrong with a publication; [`PublicationError::code`] is stable.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PublicationError {
    /// The file's name, e.g. [`super::ORDERS`].
    pub file: &'static str,
    /// Which of its entries, counted from 1; `None` for files with one envelope and for the file as a whole.
    pub entry: Option<usize>,
    /// What is wrong.
    pub error: PolicyError,
}

/// Why a file of a publication was refused before or after its document was read; `code()` is stable.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum FileError {
    /// The policy, without which there is no publication.
    #[error("there is no policy")]
    NoPolicy,
    /// Longer than such a file may be.
    #[error("the file is larger than {limit_bytes} bytes")]
    TooLarge {
        /// The most for this file.
        limit_bytes: usize,
    },
    /// A file without a single entry: whoever has none leaves the file out.
    #[error("the file has no entry; leave it out instead")]
    Empty,
    /// A line without an envelope, other than the last.
    #[error("an empty line")]
    BlankLine,
    /// More lines than such a file may have.
    #[error("the file has more than {limit} entries")]
    TooMany {
        /// The most for this file.
        limit: usize,
    },
    /// A version counts when it is obeyed, so that one is not obeyed before its time.
    #[error("the document is not valid before {}", .not_before.to_rfc3339())]
    NotBefore {
        /// First second of its life.
        not_before: UnixTime,
    },
}

impl FileError {
    /// Stable code, e.g. `policy.publication.no_policy`.
    #[must_use]
    pub const fn code(&self) -> &'static str {
        match self {
            Self::NoPolicy => "policy.publication.no_policy",
            Self::TooLarge { .. } => "policy.publication.too_large",
            Self::Empty => "policy.publication.empty",
            Self::BlankLine => "policy.publication.blank_line",
            Self::TooMany { .. } => "policy.publication.too_many",
            Self::NotBefore { .. } => "policy.publication.not_before",
        }
    }
}

impl PublicationError {
    /// About the file as a whole, or the only envelope in it.
    pub(crate) fn of(file: &'static str, error: impl Into<PolicyError>) -> Self {
        Self {
            file,
            entry: None,
            error: error.into(),
        }
    }

    /// Everything that is wrong with one entry, counted from 0.
    pub(crate) fn at(file: &'static str, index: usize, errors: Vec<PolicyError>) -> Vec<Self> {
        let at_entry = |error| Self {
            file,
            entry: Some(index + 1),
            error,
        };
        errors.into_iter().map(at_entry).collect()
    }

    /// Stable code of [`PublicationError::error`].
    #[must_use]
    pub const fn code(&self) -> &'static str {
        self.error.code()
    }
}

impl fmt::Display for PublicationError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.entry {
            None => write!(f, "{}: {}", self.file, self.error),
            Some(entry) => write!(f, "{}, entry {entry}: {}", self.file, self.error),
        }
    }
}

impl std::error::Error for PublicationError {}
