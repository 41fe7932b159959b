//! What refusals of sealed models mean for a command's end.

use super::super::{Exit, Failure};
use sealed_model::{ExportError, OpenError, OutputError, SealError};

impl From<OpenError> for Failure {
    fn from(error: OpenError) -> Self {
        Self::new(exit_of(&error), error.code(), error.to_string()).advice(advice(&error))
    }
}

impl From<OutputError> for Failure {
    fn from(error: OutputError) -> Self {
        let (exit, advice) = match error {
            OutputError::Exists(_) => {
                (Exit::Usage, "choose another place: nothing is written over")
            }
            OutputError::Busy(_) => (Exit::Usage, "wait for the other, or choose another place"),
            OutputError::Stranger(_) => (
                Exit::Usage,
                "move it away and begin again: what is there is kept",
            ),
            _ => (
                Exit::Internal,
                "check the path, its permissions and the space left, then begin again: what is there is kept",
            ),
        };
        Self::new(exit, error.code(), error.to_string()).advice(advice)
    }
}

impl From<ExportError> for Failure {
    fn from(error: ExportError) -> Self {
        match error {
            ExportError::Model(error) => error.into(),
            ExportError::Output(error) => error.into(),
            other => Self::internal("model.open", &other),
        }
    }
}

impl From<SealError> for Failure {
    fn from(error: SealError) -> Self {
        let (exit, advice) = match error {
            SealError::Output(error) => return error.into(),
            SealError::Source { .. } => (Exit::Usage, "check the path and its permissions"),
            SealError::Link(_) | SealError::Name(_) | SealError::Limits => (
                Exit::Usage,
                "a model is a file, or a folder of files; docs/sealed-models.md has the limits",
            ),
            SealError::Changed(_) => (Exit::Internal, "begin again: what is there is kept"),
            SealError::Signature(_) => (
                Exit::Internal,
                "the private key signs something else than its public half verifies: nothing was given its name",
            ),
            _ => (Exit::Internal, ""),
        };
        Self::new(exit, error.code(), error.to_string()).advice(advice)
    }
}

/// The exit status that a refusal means.
pub(super) fn exit_of(error: &OpenError) -> Exit {
    match error {
        OpenError::Envelope(_)
        | OpenError::Manifest(_)
        | OpenError::Version
        | OpenError::Name(_) => Exit::Malformed,
        OpenError::Io { .. } => Exit::Usage,
        // A file of the model that is gone is a finding; no model at all is a wrong argument.
        OpenError::Missing(path) if !path.ends_with(".sealed") => Exit::Usage,
        OpenError::File(_) | OpenError::Range(_) | OpenError::Memory { .. } => Exit::Internal,
        _ => Exit::Rejected,
    }
}

const fn advice(error: &OpenError) -> &'static str {
    match error {
        OpenError::Io { .. } | OpenError::Missing(_) => "check the path and its permissions",
        OpenError::Unsigned | OpenError::Signature(_) => {
            "give the owner's public keys with --owner-key; if they are the right ones, the model is not the owner's"
        }
        OpenError::Key => {
            "give the key that the model was sealed under: its id stands in the manifest"
        }
        _ => "fetch the sealed model again from its owner",
    }
}
