//! The primitives from aws-lc-rs. Key schedules and private keys are wiped by the library when dropped.

use super::{Aead, ML_KEM_CIPHERTEXT, ML_KEM_PUBLIC, NONCE, Secret32, TAG, exactly};
use aws_lc_rs::{
    aead, agreement, digest, hmac, kem,
    signature::{Ed25519KeyPair, KeyPair},
};
use zeroize::Zeroizing;

/// Incremental SHA-256.
#[derive(Clone)]
pub(crate) struct Sha256(digest::Context);

impl Sha256 {
    pub(crate) fn new() -> Self {
        Self(digest::Context::new(&digest::SHA256))
    }

    pub(crate) fn update(&mut self, data: &[u8]) {
        self.0.update(data);
    }

    pub(crate) fn finish(self) -> [u8; 32] {
        first_32(self.0.finish().as_ref())
    }
}

/// SHA3-256 over the concatenation of `parts`.
pub(crate) fn sha3_256(parts: &[&[u8]]) -> Secret32 {
    let mut context = digest::Context::new(&digest::SHA3_256);
    for part in parts {
        context.update(part);
    }
    Zeroizing::new(first_32(context.finish().as_ref()))
}

/// HMAC-SHA256 over the concatenation of `parts`.
pub(crate) fn hmac_sha256(key: &[u8], parts: &[&[u8]]) -> Secret32 {
    let mut context = hmac::Context::with_key(&hmac::Key::new(hmac::HMAC_SHA256, key));
    for part in parts {
        context.update(part);
    }
    Zeroizing::new(first_32(context.sign().as_ref()))
}

/// An AEAD key.
pub(crate) struct AeadKey(aead::LessSafeKey);

impl AeadKey {
    pub(crate) fn new(algorithm: Aead, key: &[u8]) -> Option<Self> {
        let algorithm = match algorithm {
            Aead::Aes128Gcm => &aead::AES_128_GCM,
            Aead::Aes256Gcm => &aead::AES_256_GCM,
        };
        let key = aead::UnboundKey::new(algorithm, key).ok()?;
        Some(Self(aead::LessSafeKey::new(key)))
    }

    /// Encrypts a message of two pieces, one after the other: what is at the front of `out`, in place, then `bulk`, into the rest of `out`
    /// but for the tag at its end. `bulk` is thus read once and not copied first.
    pub(crate) fn seal(
        &self,
        nonce: [u8; NONCE],
        aad: &[u8],
        bulk: &[u8],
        out: &mut [u8],
    ) -> Option<()> {
        let nonce = aead::Nonce::assume_unique_for_key(nonce);
        let front = out.len().checked_sub(bulk.len().checked_add(TAG)?)?;
        let (front, rest) = out.split_at_mut_checked(front)?;
        self.0
            .seal_in_place_scatter(nonce, aead::Aad::from(aad), front, bulk, rest)
            .ok()
    }

    /// Decrypts ciphertext and tag in place; gives the plaintext.
    pub(crate) fn open<'a>(
        &self,
        nonce: [u8; NONCE],
        aad: &[u8],
        in_out: &'a mut [u8],
    ) -> Option<&'a mut [u8]> {
        let nonce = aead::Nonce::assume_unique_for_key(nonce);
        self.0
            .open_in_place(nonce, aead::Aad::from(aad), in_out)
            .ok()
    }

    /// Decrypts ciphertext and tag into `out`, which has the plaintext's length; after a refusal its content means nothing.
    pub(crate) fn open_into(
        &self,
        nonce: [u8; NONCE],
        aad: &[u8],
        sealed: &[u8],
        out: &mut [u8],
    ) -> Option<()> {
        let nonce = aead::Nonce::assume_unique_for_key(nonce);
        let (text, tag) = sealed.split_at_checked(out.len())?;
        self.0
            .open_separate_gather(nonce, aead::Aad::from(aad), text, tag, out)
            .ok()
    }
}

/// An X25519 private key (RFC 7748).
pub(crate) struct X25519Secret(agreement::PrivateKey);

impl X25519Secret {
    /// From its 32 bytes. The library derives the public key each time, which is most of what this costs.
    pub(crate) fn from_bytes(bytes: &[u8]) -> Option<Self> {
        let key = agreement::PrivateKey::from_private_key(&agreement::X25519, bytes).ok()?;
        Some(Self(key))
    }

    pub(crate) fn public(&self) -> Option<[u8; 32]> {
        exactly(self.0.compute_public_key().ok()?.as_ref())
    }

    /// The shared secret; `None` for a point of low order, whose secret would be all zero.
    pub(crate) fn agree(&self, peer: &[u8; 32]) -> Option<Secret32> {
        let peer = agreement::UnparsedPublicKey::new(&agreement::X25519, peer);
        agreement::agree(&self.0, peer, (), |secret| {
            exactly(secret).map(Zeroizing::new).ok_or(())
        })
        .ok()
    }
}

/// An ML-KEM-768 decapsulation key (FIPS 203).
pub(crate) struct MlKemSecret(kem::DecapsulationKey);

impl MlKemSecret {
    /// A fresh key in the form that [`MlKemSecret::from_bytes`] takes, with its encapsulation key.
    pub(crate) fn generate() -> Option<(Zeroizing<Vec<u8>>, [u8; ML_KEM_PUBLIC])> {
        let secret = kem::DecapsulationKey::generate(&kem::ML_KEM_768).ok()?;
        let public = secret.encapsulation_key().ok()?.key_bytes().ok()?;
        let bytes = Zeroizing::new(secret.key_bytes().ok()?.as_ref().to_vec());
        Some((bytes, exactly(public.as_ref())?))
    }

    /// From FIPS 203's expanded form, 2400 bytes: a copy of them, while the 64 bytes of a seed would cost a key generation each time (and
    /// the library takes none).
    pub(crate) fn from_bytes(bytes: &[u8]) -> Option<Self> {
        let key = kem::DecapsulationKey::new(&kem::ML_KEM_768, bytes).ok()?;
        Some(Self(key))
    }

    pub(crate) fn decapsulate(&self, ciphertext: &[u8; ML_KEM_CIPHERTEXT]) -> Option<Secret32> {
        let secret = self.0.decapsulate(ciphertext.as_slice().into()).ok()?;
        exactly(secret.as_ref()).map(Zeroizing::new)
    }
}

/// Encapsulates to `public`; `None` if it is not an ML-KEM-768 key.
pub(crate) fn ml_kem_encapsulate(
    public: &[u8; ML_KEM_PUBLIC],
) -> Option<([u8; ML_KEM_CIPHERTEXT], Secret32)> {
    let key = kem::EncapsulationKey::new(&kem::ML_KEM_768, public).ok()?;
    let (ciphertext, secret) = key.encapsulate().ok()?;
    Some((
        exactly(ciphertext.as_ref())?,
        Zeroizing::new(exactly(secret.as_ref())?),
    ))
}

/// An Ed25519 private key (RFC 8032).
pub(crate) struct Ed25519Secret(Ed25519KeyPair);

impl Ed25519Secret {
    /// From its 32-byte seed.
    pub(crate) fn from_seed(seed: &[u8]) -> Option<Self> {
        Ed25519KeyPair::from_seed_unchecked(seed).ok().map(Self)
    }

    pub(crate) fn public(&self) -> [u8; 32] {
        first_32(self.0.public_key().as_ref())
    }

    pub(crate) fn sign(&self, message: &[u8]) -> [u8; 64] {
        let mut signature = [0; 64];
        for (to, from) in signature.iter_mut().zip(self.0.sign(message).as_ref()) {
            *to = *from;
        }
        signature
    }
}

/// Copies a 32-byte output of the library into an array.
fn first_32(bytes: &[u8]) -> [u8; 32] {
    let mut array = [0; 32];
    for (to, from) in array.iter_mut().zip(bytes) {
        *to = *from;
    }
    array
}
