//! Private keys that the user names: a PEM file, or a key of a PKCS #11 token that never leaves it.

mod token;
mod token_uri;

use super::{Exit, Failure};
use policy::Envelope;
use provision::{SigningKey, SigningKeyError};
use std::path::Path;
use token::TokenKey;
use token_uri::TokenUri;

/// A key that signs documents.
pub(crate) enum DocumentKey {
    /// Of a file.
    File(SigningKey),
    /// Of a token.
    Token(TokenKey),
}

impl DocumentKey {
    /// The key that `name` names: `pkcs11:..` (RFC 7512), or else a file.
    pub(crate) fn open(name: &Path) -> Result<Self, Failure> {
        match name.to_str().filter(|name| TokenUri::is_one(name)) {
            Some(uri) => TokenKey::open(&TokenUri::parse(uri)?).map(Self::Token),
            None => SigningKey::read(name)
                .map(Self::File)
                .map_err(|error| failure(&error)),
        }
    }

    /// The public half.
    pub(crate) const fn public_key(&self) -> [u8; 32] {
        match self {
            Self::File(key) => key.public_key(),
            Self::Token(key) => key.public_key(),
        }
    }

    /// Adds this key's signature to `envelope`.
    pub(crate) fn sign(&self, envelope: &mut Envelope) -> Result<(), Failure> {
        match self {
            Self::File(key) => key.sign(envelope).map_err(|error| failure(&error)),
            Self::Token(key) => {
                let signature = key.sign(&envelope.pae())?;
                envelope.add_signature(key.public_key(), signature);
                Ok(())
            }
        }
    }
}

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
