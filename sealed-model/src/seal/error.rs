//! Why a model was not sealed.

use crate::OutputError;
use policy::SignatureError;
use std::{io, path::PathBuf};

/// Why a model was not sealed, in the order of the steps; `code()` is stable.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum SealError {
    /// A source that cannot be read.
    #[error("{} cannot be read: {kind}", path.display())]
    Source {
        /// The file or folder.
        path: PathBuf,
        /// What the system said.
        kind: io::ErrorKind,
    },
    /// A link, or something else that is no file or folder.
    #[error("{} is a link, or neither file nor folder: put the file itself there", .0.display())]
    Link(PathBuf),
    /// A name that the format does not have.
    #[error("{} has a name that a sealed model cannot have", .0.display())]
    Name(PathBuf),
    /// No files, too many, or one with too many segments.
    #[error(
        "a model has 1 to {} files of at most 1048576 segments, 500000 of them together: take larger segments",
        crate::MAX_FILES
    )]
    Limits,
    /// No randomness, or no encryption.
    #[error("the cryptographic library gave nothing")]
    Crypto,
    /// A source that became shorter or longer meanwhile.
    #[error("{} changed while it was sealed", .0.display())]
    Changed(PathBuf),
    /// The output.
    #[error(transparent)]
    Output(#[from] OutputError),
    /// A draft was to be finished with an envelope of something else, or without a signature.
    #[error("the envelope is not this model's, or nobody signed it")]
    Unsigned,
    /// A draft was to be finished with signatures that are not the owner's.
    #[error("the envelope's signatures: {0}")]
    Signature(SignatureError),
}

impl SealError {
    /// Stable code.
    #[must_use]
    pub const fn code(&self) -> &'static str {
        match self {
            Self::Source { .. } => "seal.source",
            Self::Link(_) => "seal.source.link",
            Self::Name(_) => "seal.source.name",
            Self::Limits => "seal.limits",
            Self::Crypto => "seal.crypto",
            Self::Changed(_) => "seal.source.changed",
            Self::Output(error) => error.code(),
            Self::Unsigned => "seal.unsigned",
            Self::Signature(_) => "seal.signature",
        }
    }

    /// A refusal of the signed envelope.
    pub(super) fn of_signature(error: SignatureError) -> Self {
        match error {
            SignatureError::Unsigned | SignatureError::PayloadType { .. } => Self::Unsigned,
            other => Self::Signature(other),
        }
    }
}
