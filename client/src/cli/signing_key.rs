//! Private keys that the user names, and what is said when one cannot be used.

use super::{Exit, Failure};
use provision::SigningKeyError;

/// The failure that `error` means.
pub(crate) fn failure(error: &SigningKeyError) -> Failure {
    let exit = match error {
        SigningKeyError::File(_) | SigningKeyError::Permissions { .. } => Exit::Usage,
        SigningKeyError::Malformed { .. } => Exit::Malformed,
        SigningKeyError::Sign => Exit::Internal,
    };
    Failure::new(exit, error.code(), error.to_string()).advice(match error {
        SigningKeyError::File(_) => "check the path and its permissions",
        SigningKeyError::Permissions { .. } => "keep private keys to their owner, then sign again",
        _ => "`narthex policy keygen` makes a pair; give its NAME.pem here",
    })
}
