//! The public keys of a policy root: PEM files as `openssl pkey -pubout` writes them (RFC 8410, RFC 7468).

use crate::{FileError, file};
use policy::{SignatureError, TrustRoot};
use std::path::{Path, PathBuf};

/// Largest key file read, in bytes; a real one has 113.
const MAX_KEY_FILE_BYTES: usize = 16 * 1024;

/// SubjectPublicKeyInfo of an Ed25519 key up to its 32 bytes (RFC 8410 section 4); no parameters, so nothing varies.
const ED25519_SPKI_PREFIX: [u8; 12] = [
    0x30, 0x2A, 0x30, 0x05, 0x06, 0x03, 0x2B, 0x65, 0x70, 0x03, 0x21, 0x00,
];

/// Why a policy root could not be read.
#[derive(Debug, thiserror::Error)]
pub enum PublicKeyError {
    /// The file.
    #[error(transparent)]
    File(#[from] FileError),
    /// A private key where a public one belongs.
    #[error(
        "{0} holds a private key; a policy root takes its public half: openssl pkey -in {0} -pubout -out PUBLIC.pem",
        path.display()
    )]
    Private {
        /// The file.
        path: PathBuf,
    },
    /// Not one PEM block `PUBLIC KEY` with an Ed25519 key.
    #[error(
        "{} is not an Ed25519 public key in PEM: openssl genpkey -algorithm ed25519 -out PRIVATE.pem makes a key, \
         openssl pkey -in PRIVATE.pem -pubout -out PUBLIC.pem its public half",
        path.display()
    )]
    Malformed {
        /// The file.
        path: PathBuf,
    },
    /// The keys together are no root.
    #[error(transparent)]
    Root(#[from] SignatureError),
}

impl PublicKeyError {
    /// Stable code.
    #[must_use]
    pub const fn code(&self) -> &'static str {
        match self {
            Self::File(error) => error.code(),
            Self::Private { .. } => "provision.public_key.private",
            Self::Malformed { .. } => "provision.public_key.malformed",
            Self::Root(error) => error.code(),
        }
    }
}

/// The root of the keys in `paths`; `threshold` of them must sign, all if it is `None`.
pub fn read_trust_root(
    paths: &[impl AsRef<Path>],
    threshold: Option<usize>,
) -> Result<TrustRoot, PublicKeyError> {
    let keys = paths.iter().map(|path| read_public_key(path.as_ref()));
    let keys = keys.collect::<Result<Vec<_>, _>>()?;
    let threshold = threshold.unwrap_or(keys.len());
    Ok(TrustRoot::new(keys, threshold)?)
}

/// The 32 bytes of the Ed25519 key in `path`.
pub fn read_public_key(path: &Path) -> Result<[u8; 32], PublicKeyError> {
    let pem = file::read(path, MAX_KEY_FILE_BYTES)?;
    let path = || path.to_owned();
    let malformed = || PublicKeyError::Malformed { path: path() };
    let mut der = [0; ED25519_SPKI_PREFIX.len() + 32];
    let (label, der) = match pem_rfc7468::decode(&pem, &mut der) {
        Ok(decoded) => decoded,
        Err(_) if is_private(&pem) => return Err(PublicKeyError::Private { path: path() }),
        Err(_) => return Err(malformed()),
    };
    if label != "PUBLIC KEY" {
        return Err(malformed());
    }
    let key = der
        .strip_prefix(&ED25519_SPKI_PREFIX)
        .ok_or_else(malformed)?;
    key.try_into().map_err(|_| malformed())
}

fn is_private(pem: &[u8]) -> bool {
    pem_rfc7468::decode_label(pem).is_ok_and(|label| label.ends_with("PRIVATE KEY"))
}
