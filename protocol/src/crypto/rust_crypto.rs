//! The primitives from RustCrypto and dalek: pure Rust, so that a browser can run them.

use super::{Aead, ML_KEM_CIPHERTEXT, ML_KEM_PUBLIC, NONCE, Secret32, TAG, exactly};
use crate::entropy;
use aes_gcm::{
    Aes128Gcm, Aes256Gcm,
    aead::{AeadInOut, KeyInit, Nonce, inout::InOutBuf},
};
use ed25519_dalek::{Signer, SigningKey};
use hmac::{Hmac, Mac};
use ml_kem::{DecapsulationKey, EncapsulationKey, KeyExport, MlKem768, kem::Decapsulate};
use sha2::Digest;
use x25519_dalek::{PublicKey, StaticSecret};
use zeroize::Zeroizing;

/// Incremental SHA-256.
#[derive(Clone)]
pub(crate) struct Sha256(sha2::Sha256);

impl Sha256 {
    pub(crate) fn new() -> Self {
        Self(sha2::Sha256::new())
    }

    pub(crate) fn update(&mut self, data: &[u8]) {
        self.0.update(data);
    }

    pub(crate) fn finish(self) -> [u8; 32] {
        self.0.finalize().into()
    }
}

/// SHA3-256 over the concatenation of `parts`.
pub(crate) fn sha3_256(parts: &[&[u8]]) -> Secret32 {
    let mut hash = sha3::Sha3_256::new();
    for part in parts {
        hash.update(part);
    }
    Zeroizing::new(hash.finalize().into())
}

/// HMAC-SHA256 over the concatenation of `parts`.
pub(crate) fn hmac_sha256(key: &[u8], parts: &[&[u8]]) -> Secret32 {
    let mut block = Zeroizing::new([0; 64]);
    if key.len() > block.len() {
        block
            .iter_mut()
            .zip(super::sha256(key))
            .for_each(|(to, from)| *to = from);
    } else {
        block.iter_mut().zip(key).for_each(|(to, from)| *to = *from);
    }
    let mut mac = <Hmac<sha2::Sha256> as KeyInit>::new((&*block).into());
    for part in parts {
        mac.update(part);
    }
    Zeroizing::new(mac.finalize().into_bytes().into())
}

/// An AEAD key.
pub(crate) enum AeadKey {
    Aes128(Box<Aes128Gcm>),
    Aes256(Box<Aes256Gcm>),
}

impl AeadKey {
    pub(crate) fn new(algorithm: Aead, key: &[u8]) -> Option<Self> {
        Some(match algorithm {
            Aead::Aes128Gcm => Self::Aes128(Box::new(Aes128Gcm::new_from_slice(key).ok()?)),
            Aead::Aes256Gcm => Self::Aes256(Box::new(Aes256Gcm::new_from_slice(key).ok()?)),
        })
    }

    /// Encrypts what is at the front of `out`, then `bulk`, into `out`, whose end is the tag's.
    pub(crate) fn seal(
        &self,
        nonce: [u8; NONCE],
        aad: &[u8],
        bulk: &[u8],
        out: &mut [u8],
    ) -> Option<()> {
        let (text, tag) = out.split_at_mut_checked(out.len().checked_sub(TAG)?)?;
        let front = text.len().checked_sub(bulk.len())?;
        text.get_mut(front..)?.copy_from_slice(bulk);
        tag.copy_from_slice(&match self {
            Self::Aes128(key) => seal(key.as_ref(), nonce, aad, text)?,
            Self::Aes256(key) => seal(key.as_ref(), nonce, aad, text)?,
        });
        Some(())
    }

    /// Decrypts ciphertext and tag in place; gives the plaintext.
    pub(crate) fn open<'a>(
        &self,
        nonce: [u8; NONCE],
        aad: &[u8],
        in_out: &'a mut [u8],
    ) -> Option<&'a mut [u8]> {
        match self {
            Self::Aes128(key) => open(key.as_ref(), nonce, aad, in_out),
            Self::Aes256(key) => open(key.as_ref(), nonce, aad, in_out),
        }
    }

    /// Decrypts ciphertext and tag into `out`, which has the plaintext's length.
    pub(crate) fn open_into(
        &self,
        nonce: [u8; NONCE],
        aad: &[u8],
        sealed: &[u8],
        out: &mut [u8],
    ) -> Option<()> {
        let (text, tag) = sealed.split_at_checked(out.len())?;
        out.copy_from_slice(text);
        match self {
            Self::Aes128(key) => open_detached(key.as_ref(), nonce, aad, (out, tag)),
            Self::Aes256(key) => open_detached(key.as_ref(), nonce, aad, (out, tag)),
        }
    }
}

fn seal<A: AeadInOut>(
    key: &A,
    nonce: [u8; NONCE],
    aad: &[u8],
    in_out: &mut [u8],
) -> Option<[u8; TAG]> {
    let nonce = <&Nonce<A>>::try_from(nonce.as_slice()).ok()?;
    let tag = key
        .encrypt_inout_detached(nonce, aad, InOutBuf::from(in_out))
        .ok()?;
    exactly(&tag)
}

fn open<'a, A: AeadInOut>(
    key: &A,
    nonce: [u8; NONCE],
    aad: &[u8],
    in_out: &'a mut [u8],
) -> Option<&'a mut [u8]> {
    let (text, tag) = in_out.split_at_mut_checked(in_out.len().checked_sub(TAG)?)?;
    open_detached(key, nonce, aad, (text, tag))?;
    Some(text)
}

fn open_detached<A: AeadInOut>(
    key: &A,
    nonce: [u8; NONCE],
    aad: &[u8],
    (text, tag): (&mut [u8], &[u8]),
) -> Option<()> {
    let nonce = <&Nonce<A>>::try_from(nonce.as_slice()).ok()?;
    let tag = <&aes_gcm::aead::Tag<A>>::try_from(tag).ok()?;
    key.decrypt_inout_detached(nonce, aad, InOutBuf::from(text), tag)
        .ok()
}

/// An X25519 private key (RFC 7748).
pub(crate) struct X25519Secret(StaticSecret);

impl X25519Secret {
    /// From its 32 bytes.
    pub(crate) fn from_bytes(bytes: &[u8]) -> Option<Self> {
        let bytes: Secret32 = exactly(bytes).map(Zeroizing::new)?;
        Some(Self(StaticSecret::from(*bytes)))
    }

    #[expect(clippy::unnecessary_wraps, reason = "the backends have one shape")]
    pub(crate) fn public(&self) -> Option<[u8; 32]> {
        Some(PublicKey::from(&self.0).to_bytes())
    }

    /// The shared secret; `None` for a point of low order, whose secret would be all zero.
    pub(crate) fn agree(&self, peer: &[u8; 32]) -> Option<Secret32> {
        let secret = self.0.diffie_hellman(&PublicKey::from(*peer));
        secret
            .was_contributory()
            .then(|| Zeroizing::new(secret.to_bytes()))
    }
}

/// Bytes of the seed d || z (FIPS 203 section 3.3).
const SEED: usize = 64;

/// An ML-KEM-768 decapsulation key (FIPS 203).
pub(crate) struct MlKemSecret(DecapsulationKey<MlKem768>);

impl MlKemSecret {
    /// A fresh key in the form that [`MlKemSecret::from_bytes`] takes, with its encapsulation key.
    pub(crate) fn generate() -> Option<(Zeroizing<Vec<u8>>, [u8; ML_KEM_PUBLIC])> {
        let mut seed = Zeroizing::new(vec![0; SEED]);
        entropy::fill(&mut seed).ok()?;
        let secret = Self::from_bytes(&seed)?;
        let public = exactly(&secret.0.encapsulation_key().to_bytes())?;
        Some((seed, public))
    }

    /// From FIPS 203's seed d || z.
    pub(crate) fn from_bytes(seed: &[u8]) -> Option<Self> {
        let seed: Zeroizing<[u8; SEED]> = exactly(seed).map(Zeroizing::new)?;
        Some(Self(DecapsulationKey::from_seed((*seed).into())))
    }

    pub(crate) fn decapsulate(&self, ciphertext: &[u8; ML_KEM_CIPHERTEXT]) -> Option<Secret32> {
        let secret = self.0.decapsulate(&(*ciphertext).into());
        exactly(&secret).map(Zeroizing::new)
    }
}

/// Encapsulates to `public`; `None` if it is not an ML-KEM-768 key, or without entropy.
pub(crate) fn ml_kem_encapsulate(
    public: &[u8; ML_KEM_PUBLIC],
) -> Option<([u8; ML_KEM_CIPHERTEXT], Secret32)> {
    let mut message = Zeroizing::new([0; 32]);
    entropy::fill(message.as_mut_slice()).ok()?;
    let key = EncapsulationKey::<MlKem768>::new(&(*public).into()).ok()?;
    let (ciphertext, secret) = key.encapsulate_deterministic(&(*message).into());
    Some((exactly(&ciphertext)?, Zeroizing::new(exactly(&secret)?)))
}

/// An Ed25519 private key (RFC 8032).
pub(crate) struct Ed25519Secret(SigningKey);

impl Ed25519Secret {
    /// From its 32-byte seed.
    pub(crate) fn from_seed(seed: &[u8]) -> Option<Self> {
        let seed: Secret32 = exactly(seed).map(Zeroizing::new)?;
        Some(Self(SigningKey::from_bytes(&seed)))
    }

    pub(crate) fn public(&self) -> [u8; 32] {
        self.0.verifying_key().to_bytes()
    }

    pub(crate) fn sign(&self, message: &[u8]) -> [u8; 64] {
        self.0.sign(message).to_bytes()
    }
}
