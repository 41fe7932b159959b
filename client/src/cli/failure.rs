//! Why a command gave up: a stable code, what happened, what to do.

use super::Exit;
use crate::ClientError;
use policy::Refusal;
use protocol::SealError;
use std::{borrow::Cow, error::Error, fmt::Display};

/// One failure, ready to be shown.
#[derive(Debug)]
pub(crate) struct Failure {
    pub(crate) exit: Exit,
    pub(crate) code: Cow<'static, str>,
    pub(crate) message: String,
    pub(crate) advice: Cow<'static, str>,
}

impl Failure {
    pub(crate) fn new(
        exit: Exit,
        code: impl Into<Cow<'static, str>>,
        message: impl Into<String>,
    ) -> Self {
        Self {
            exit,
            code: code.into(),
            message: message.into(),
            advice: Cow::Borrowed(""),
        }
    }

    pub(crate) fn advice(self, advice: impl Into<Cow<'static, str>>) -> Self {
        Self {
            advice: advice.into(),
            ..self
        }
    }

    /// The same, told of the file or the place in it.
    pub(crate) fn within(self, place: &dyn Display) -> Self {
        let message = format!("{place}: {}", self.message);
        Self { message, ..self }
    }

    /// Wrong or missing arguments.
    pub(crate) fn usage(code: &'static str, message: impl Into<String>) -> Self {
        Self::new(Exit::Usage, code, message)
    }

    pub(crate) fn internal(code: &'static str, error: &dyn Error) -> Self {
        Self::new(Exit::Internal, code, error.to_string())
    }
}

impl From<ClientError> for Failure {
    fn from(error: ClientError) -> Self {
        Self::new(exit_of(&error), error.code(), error.to_string()).advice(error.advice())
    }
}

fn exit_of(error: &ClientError) -> Exit {
    match error {
        ClientError::Url(_)
        | ClientError::Plaintext(_)
        | ClientError::ApiKey
        | ClientError::Model { .. } => Exit::Usage,
        ClientError::Bundle(_) | ClientError::NoKeys | ClientError::Answer(_) => Exit::Malformed,
        ClientError::Refused(Refusal::Evidence(error)) => super::report::exit_of_evidence(error),
        ClientError::Refused(Refusal::Policy(_))
        | ClientError::NodeName { .. }
        | ClientError::Rollback(_)
        | ClientError::Stopped(_)
        | ClientError::Placement { .. }
        | ClientError::Withdrawn(_)
        | ClientError::Seal(SealError::KeyConfig(_))
        | ClientError::EnvelopeRefused(_)
        | ClientError::Open(_)
        | ClientError::Interrupted(_) => Exit::Rejected,
        _ => Exit::Internal,
    }
}
