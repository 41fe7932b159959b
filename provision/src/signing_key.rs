//! A private key that signs documents: unencrypted PKCS #8 in PEM as `openssl genpkey -algorithm ed25519` writes it.

use crate::{FileError, file};
use aws_lc_rs::signature::{Ed25519KeyPair, KeyPair as _};
use policy::Envelope;
use std::path::{Path, PathBuf};
use zeroize::Zeroizing;

/// Largest key file read, in bytes; a real one has 119.
const MAX_KEY_FILE_BYTES: usize = 4096;

/// OneAsymmetricKey, version 1, of an Ed25519 key up to its 32 bytes (RFC 8410 section 7); nothing follows them.
const ED25519_PKCS8_PREFIX: [u8; 16] = [
    0x30, 0x2E, 0x02, 0x01, 0x00, 0x30, 0x05, 0x06, 0x03, 0x2B, 0x65, 0x70, 0x04, 0x22, 0x04, 0x20,
];

/// An Ed25519 private key. It has no `Debug`, `Clone` or serial form; its memory is wiped when dropped.
pub struct SigningKey {
    key: Ed25519KeyPair,
    public_key: [u8; 32],
}

/// Why a private key could not be used. No message repeats anything of the file's content.
#[derive(Debug, thiserror::Error)]
pub enum SigningKeyError {
    /// The file.
    #[error(transparent)]
    File(#[from] FileError),
    /// Others than the owner may read or write the file.
    #[error("{0} can be used by others than its owner: chmod 600 {0}", path.display())]
    Permissions {
        /// The file.
        path: PathBuf,
    },
    /// Not one PEM block `PRIVATE KEY` with an unencrypted Ed25519 key.
    #[error(
        "{} is not an unencrypted Ed25519 private key in PEM (PKCS #8): openssl genpkey -algorithm ed25519 -out PRIVATE.pem makes one",
        path.display()
    )]
    Malformed {
        /// The file.
        path: PathBuf,
    },
    /// The key made no signature.
    #[error("the key of this process made no signature")]
    Sign,
}

impl SigningKeyError {
    /// Stable code.
    #[must_use]
    pub const fn code(&self) -> &'static str {
        match self {
            Self::File(error) => error.code(),
            Self::Permissions { .. } => "provision.signing_key.permissions",
            Self::Malformed { .. } => "provision.signing_key.malformed",
            Self::Sign => "provision.signing_key.sign",
        }
    }
}

impl SigningKey {
    /// Reads the key in `path`, which must be its owner's alone.
    pub fn read(path: &Path) -> Result<Self, SigningKeyError> {
        let pem = file::read(path, MAX_KEY_FILE_BYTES)?;
        if used_by_others(path)? {
            let path = path.to_owned();
            return Err(SigningKeyError::Permissions { path });
        }
        Self::from_pem(&pem).ok_or_else(|| SigningKeyError::Malformed {
            path: path.to_owned(),
        })
    }

    fn from_pem(pem: &[u8]) -> Option<Self> {
        let mut der = Zeroizing::new([0; MAX_KEY_FILE_BYTES]);
        let (label, der) = pem_rfc7468::decode(pem, der.as_mut_slice()).ok()?;
        let seed: &[u8; 32] = der.strip_prefix(&ED25519_PKCS8_PREFIX)?.try_into().ok()?;
        let key = Ed25519KeyPair::from_seed_unchecked(seed).ok()?;
        let public_key = key.public_key().as_ref().try_into().ok()?;
        (label == "PRIVATE KEY").then_some(Self { key, public_key })
    }

    /// The public half.
    #[must_use]
    pub const fn public_key(&self) -> [u8; 32] {
        self.public_key
    }

    /// Adds this key's signature to `envelope`, of whatever kind its document is.
    pub fn sign(&self, envelope: &mut Envelope) -> Result<(), SigningKeyError> {
        let signature = self.sign_message(&envelope.pae())?;
        envelope.add_signature(self.public_key, signature);
        Ok(())
    }

    /// This key's signature over `message`, whose first bytes must tell what it is.
    pub fn sign_message(&self, message: &[u8]) -> Result<[u8; 64], SigningKeyError> {
        let signature = self.key.try_sign(message);
        let signature = signature.map_err(|_| SigningKeyError::Sign)?;
        let signature = signature.as_ref().try_into();
        signature.map_err(|_| SigningKeyError::Sign)
    }
}

#[cfg(unix)]
fn used_by_others(path: &Path) -> Result<bool, FileError> {
    use std::os::unix::fs::PermissionsExt;
    let metadata = std::fs::metadata(path).map_err(|source| FileError::Read {
        path: path.to_owned(),
        source,
    })?;
    Ok(metadata.permissions().mode() & 0o077 != 0)
}

#[cfg(not(unix))]
fn used_by_others(_: &Path) -> Result<bool, FileError> {
    Ok(false)
}
