//! Why a sealed model was refused.

use crate::FileName;
use policy::SignatureError;
use std::io;

/// Why a sealed model was refused, in the order of the steps; `code()` is stable.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum OpenError {
    /// A file or folder that cannot be read.
    #[error("{path} cannot be read: {kind}")]
    Io {
        /// Below the model's directory, or the directory itself.
        path: String,
        /// What the system said.
        kind: io::ErrorKind,
    },
    /// A link, or something else that is no file.
    #[error("{0} is a link, or no file: a sealed model is made of files and folders alone")]
    Link(String),
    /// A file that should be there.
    #[error("{0} is not there")]
    Missing(String),
    /// No DSSE envelope of a sealed model.
    #[error("the manifest's envelope: {0}")]
    Envelope(SignatureError),
    /// Nobody signed.
    #[error("the manifest carries no signature")]
    Unsigned,
    /// Not signed by enough of the owner's keys.
    #[error("the manifest's signatures: {0}")]
    Signature(SignatureError),
    /// Not the manifest's form.
    #[error("the manifest is malformed: {0}")]
    Manifest(&'static str),
    /// A version that this build does not know.
    #[error("the manifest has an unknown version")]
    Version,
    /// A name that leads out, is listed twice, or is a folder of another.
    #[error("the manifest lists a name that no model may have: {0:?}")]
    Name(String),
    /// A file that is shorter or longer than the manifest says.
    #[error("{file} is sealed in {expected} bytes, and {found} are there")]
    Length {
        /// The file.
        file: FileName,
        /// What follows from the manifest.
        expected: u64,
        /// What is there.
        found: u64,
    },
    /// A header that is not this file's.
    #[error("{0}: the sealed file has another header than the manifest says")]
    Header(FileName),
    /// A key that is not this model's.
    #[error("the key is not the one that this model is sealed under")]
    Key,
    /// A segment of the same file in the place of another.
    #[error("{file}: segment {found} stands in the place of segment {place}")]
    Order {
        /// The file.
        file: FileName,
        /// Where it stands, from 0.
        place: u64,
        /// Which one it is.
        found: u64,
    },
    /// A segment of another file of the model.
    #[error("{file}: a segment of {from} stands in the place of segment {place}")]
    Spliced {
        /// The file.
        file: FileName,
        /// Where it stands, from 0.
        place: u64,
        /// Whose it is.
        from: FileName,
    },
    /// A segment that is altered.
    #[error("{file}: segment {place} is altered")]
    Segment {
        /// The file.
        file: FileName,
        /// Which segment, from 0.
        place: u64,
    },
    /// A file whose plaintext has another SHA-256 than its owner states.
    #[error("{0}: what was opened has another SHA-256 than the manifest says")]
    Digest(FileName),
    /// A file asked for that the model does not have.
    #[error("the model has no file {0:?}")]
    File(String),
    /// Bytes asked for beyond a file's end, or not all of a file that is read as a whole.
    #[error("{0}: bytes were asked for that are not the file's")]
    Range(FileName),
    /// No memory for a file, or more than was allowed.
    #[error("{file}: no memory for {bytes} bytes")]
    Memory {
        /// The file.
        file: FileName,
        /// Its length.
        bytes: u64,
    },
}

impl OpenError {
    /// Stable code.
    #[must_use]
    pub const fn code(&self) -> &'static str {
        match self {
            Self::Io { .. } => "sealed.io",
            Self::Link(_) => "sealed.link",
            Self::Missing(_) => "sealed.missing",
            Self::Envelope(_) => "sealed.envelope",
            Self::Unsigned => "sealed.unsigned",
            Self::Signature(_) => "sealed.signature",
            Self::Manifest(_) => "sealed.manifest",
            Self::Version => "sealed.version",
            Self::Name(_) => "sealed.name",
            Self::Length { .. } => "sealed.length",
            Self::Header(_) => "sealed.header",
            Self::Key => "sealed.key",
            Self::Order { .. } => "sealed.order",
            Self::Spliced { .. } => "sealed.spliced",
            Self::Segment { .. } => "sealed.segment",
            Self::Digest(_) => "sealed.digest",
            Self::File(_) => "sealed.file",
            Self::Range(_) => "sealed.range",
            Self::Memory { .. } => "sealed.memory",
        }
    }

    /// A refusal of an envelope, by what is wrong with it.
    pub(crate) fn of_signature(error: SignatureError) -> Self {
        match error {
            SignatureError::Unsigned => Self::Unsigned,
            SignatureError::TooLarge { .. }
            | SignatureError::Malformed(_)
            | SignatureError::TooManySignatures { .. }
            | SignatureError::PayloadType { .. } => Self::Envelope(error),
            _ => Self::Signature(error),
        }
    }
}
