//! Releasing a model's key to a node that proved what it runs (docs/key-release.md): [`KeySealer`] seals it to an admitted node only,
//! [`KeyRecipient`] is that node, for one release.

mod recipient;
mod request;
mod sealer;

pub use recipient::{KeyListTerms, KeyRecipient, OpenKeyError};
pub use request::{KeyRequest, KeyRequestError, MAX_KEY_REQUEST_BYTES};
pub use sealer::{KeySealer, ReleaseError};

use crate::{
    crypto::Aead,
    envelope::Header,
    hpke::{Kem, Suite},
};
use attestation::{BindingId, Digest, Nonce, hash};

/// Media type of a [`KeyRequest`].
pub const KEY_REQUEST_MEDIA_TYPE: &str = "application/vnd.narthex.key-request+cbor";
/// Media type of a sealed key.
pub const SEALED_KEY_MEDIA_TYPE: &str = "application/vnd.narthex.sealed-key";
/// Bytes of a model's key: one of AES-256.
pub const MODEL_KEY_BYTES: usize = 32;
/// Bytes of a sealed key: header, encapsulation, ciphertext and tag.
pub const SEALED_KEY_BYTES: usize = crate::envelope::HEADER_LEN + 1120 + MODEL_KEY_BYTES + 16;

/// The only suite that a model's key is sealed with.
const SUITE: Suite = Suite {
    kem: Kem::XWing,
    aead: Aead::Aes256Gcm,
};

/// Names one key of one model.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct KeyId(pub [u8; 32]);

/// Which key is released to which attestation, for which nonce: what sealing authenticates.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ReleaseStatement {
    /// The releaser's nonce.
    pub nonce: Nonce,
    /// The attestation that answered it.
    pub binding_id: BindingId,
    /// The key.
    pub key_id: KeyId,
    /// SHA-256 of the model, opened.
    pub model: Digest,
}

impl ReleaseStatement {
    /// SHA-256 under `narthex/1/key-release` over nonce, binding id, key id and model: the additional data of the sealed key.
    #[must_use]
    pub fn digest(&self) -> Digest {
        let fields: [&[u8]; 4] = [
            &self.nonce.0,
            &self.binding_id.0,
            &self.key_id.0,
            &self.model,
        ];
        hash::sha256_fields("narthex/1/key-release", &fields)
    }
}

/// HPKE's info: the label, a zero byte, the header.
fn info(header: &Header) -> Vec<u8> {
    [b"narthex/1/model-key\0".as_slice(), &header.encode()].concat()
}
