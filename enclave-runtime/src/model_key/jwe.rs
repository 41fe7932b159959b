//! The least of JSON Web Encryption that a key broker's answer needs: flattened serialization (RFC 7516 section 7.2.2), ECDH-ES+A256KW on
//! P-256 (RFC 7518 section 4.6), A256GCM. Anything else is refused, by the part that is wrong.

use super::ModelKeyError;
use aws_lc_rs::{
    aead, agreement, digest,
    key_wrap::{AES_256, AesKek, KeyWrap},
};
use base64::{Engine, prelude::BASE64_URL_SAFE_NO_PAD};
use serde::Deserialize;
use zeroize::Zeroizing;

/// The JWA names of what is spoken (RFC 7518 sections 4.1 and 5.1).
pub(super) const ALG: &str = "ECDH-ES+A256KW";
const ENC: &str = "A256GCM";
const CURVE: &str = "P-256";
/// Bytes of a coordinate of P-256.
const COORDINATE: usize = 32;
/// Bytes of a content encryption key, and of the key that wraps it.
const KEY: usize = 32;
const KEY_BITS: u32 = 256;
const NONCE: usize = 12;
const TAG: usize = 16;
/// An uncompressed point's first byte (SEC 1 section 2.3.3).
const UNCOMPRESSED: u8 = 4;

/// An ephemeral key of P-256 that answers are encrypted to. No Debug, Clone or Serialize.
pub(super) struct Recipient(agreement::PrivateKey);

/// Its public half, as a JWK has it: base64url.
pub(super) struct PublicKey {
    pub(super) x: String,
    pub(super) y: String,
}

/// The JSON of an answer. Members that RFC 7516 does not give a flattened serialization are refused.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Flattened {
    protected: String,
    encrypted_key: String,
    iv: String,
    ciphertext: String,
    tag: String,
    aad: Option<String>,
}

/// The protected header. Parameters that change what is meant (`zip`, `crit`) are not among those known, and so are refused.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Header {
    alg: String,
    enc: String,
    epk: EphemeralKey,
    #[serde(default)]
    apu: String,
    #[serde(default)]
    apv: String,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct EphemeralKey {
    kty: String,
    crv: String,
    x: String,
    y: String,
}

impl Recipient {
    /// A fresh key; `None` without randomness.
    pub(super) fn generate() -> Option<Self> {
        let key = agreement::PrivateKey::generate(&agreement::ECDH_P256).ok()?;
        Some(Self(key))
    }

    /// The key with this scalar.
    #[cfg(test)]
    fn of(scalar: &[u8]) -> Self {
        Self(agreement::PrivateKey::from_private_key(&agreement::ECDH_P256, scalar).unwrap())
    }

    /// For the JWK; `None` if the library gives no point.
    pub(super) fn public(&self) -> Option<PublicKey> {
        let point = self.0.compute_public_key().ok()?;
        let (first, coordinates) = point.as_ref().split_first()?;
        let (x, y) = coordinates.split_at_checked(COORDINATE)?;
        let is_point = *first == UNCOMPRESSED && y.len() == COORDINATE;
        is_point.then(|| PublicKey {
            x: BASE64_URL_SAFE_NO_PAD.encode(x),
            y: BASE64_URL_SAFE_NO_PAD.encode(y),
        })
    }

    /// The plaintext of `json`.
    pub(super) fn open(&self, json: &[u8]) -> Result<Zeroizing<Vec<u8>>, ModelKeyError> {
        let jwe: Flattened = serde_json::from_slice(json).map_err(|_| wrong("its form"))?;
        let header = decoded(&jwe.protected).ok_or(wrong("protected"))?;
        let header: Header = serde_json::from_slice(&header).map_err(|_| wrong("protected"))?;
        check_algorithms(&header)?;
        let wrapping_key = self.wrapping_key(&header)?;
        let key = unwrapped(&wrapping_key, &jwe.encrypted_key)?;
        decrypted(&jwe, &key)
    }

    /// ECDH-ES, then the Concat KDF for A256KW (RFC 7518 section 4.6.2).
    fn wrapping_key(&self, header: &Header) -> Result<Zeroizing<[u8; KEY]>, ModelKeyError> {
        let point = header.epk.point().ok_or(wrong("epk"))?;
        let (apu, apv) = (decoded(&header.apu), decoded(&header.apv));
        let (apu, apv) = (apu.ok_or(wrong("apu"))?, apv.ok_or(wrong("apv"))?);
        let peer = agreement::UnparsedPublicKey::new(&agreement::ECDH_P256, point);
        agreement::agree(&self.0, peer, wrong("epk"), |secret| {
            Ok(concat_kdf(secret, (ALG, KEY_BITS), &apu, &apv))
        })
    }
}

impl EphemeralKey {
    /// SEC 1's uncompressed point; the library checks that it is on the curve.
    fn point(&self) -> Option<Vec<u8>> {
        let (x, y) = (decoded(&self.x)?, decoded(&self.y)?);
        let is_ours = self.kty == "EC" && self.crv == CURVE;
        let is_whole = x.len() == COORDINATE && y.len() == COORDINATE;
        (is_ours && is_whole).then(|| [&[UNCOMPRESSED], x.as_slice(), &y].concat())
    }
}

fn check_algorithms(header: &Header) -> Result<(), ModelKeyError> {
    if header.alg != ALG {
        return Err(wrong("alg"));
    }
    match header.enc == ENC {
        true => Ok(()),
        false => Err(wrong("enc")),
    }
}

/// One round of the Concat KDF (NIST SP 800-56A section 5.8.1) with SHA-256, for up to 256 bits.
fn concat_kdf(
    secret: &[u8],
    (algorithm, bits): (&str, u32),
    apu: &[u8],
    apv: &[u8],
) -> Zeroizing<[u8; KEY]> {
    let mut context = digest::Context::new(&digest::SHA256);
    context.update(&1_u32.to_be_bytes());
    context.update(secret);
    for field in [algorithm.as_bytes(), apu, apv] {
        let length = u32::try_from(field.len()).unwrap_or(u32::MAX);
        context.update(&length.to_be_bytes());
        context.update(field);
    }
    context.update(&bits.to_be_bytes());
    let mut key = Zeroizing::new([0; KEY]);
    for (to, from) in key.iter_mut().zip(context.finish().as_ref()) {
        *to = *from;
    }
    key
}

fn unwrapped(
    wrapping_key: &[u8; KEY],
    encrypted_key: &str,
) -> Result<Zeroizing<[u8; KEY]>, ModelKeyError> {
    let wrapped = decoded(encrypted_key).ok_or(wrong("encrypted_key"))?;
    if wrapped.len() != KEY + 8 {
        return Err(wrong("encrypted_key"));
    }
    let unwrapping = AesKek::new(&AES_256, wrapping_key).map_err(|_| wrong("encrypted_key"))?;
    let mut key = Zeroizing::new([0; KEY]);
    let opened = unwrapping.unwrap(&wrapped, key.as_mut_slice());
    let is_whole = opened.map_err(|_| wrong("encrypted_key"))?.len() == KEY;
    match is_whole {
        true => Ok(key),
        false => Err(wrong("encrypted_key")),
    }
}

/// Additional data: the protected header as received, and `aad` behind a dot where there is one (RFC 7516 section 5.1, step 14).
fn decrypted(jwe: &Flattened, key: &[u8; KEY]) -> Result<Zeroizing<Vec<u8>>, ModelKeyError> {
    let nonce: Option<[u8; NONCE]> = decoded(&jwe.iv).and_then(|iv| iv.try_into().ok());
    let nonce = nonce.ok_or(wrong("iv"))?;
    let tag = decoded(&jwe.tag).filter(|tag| tag.len() == TAG);
    let tag = tag.ok_or(wrong("tag"))?;
    let text = decoded(&jwe.ciphertext).ok_or(wrong("ciphertext"))?;
    let aad = match &jwe.aad {
        Some(aad) => format!("{}.{aad}", jwe.protected),
        None => jwe.protected.clone(),
    };
    let key = aead::UnboundKey::new(&aead::AES_256_GCM, key).map_err(|_| wrong("ciphertext"))?;
    let mut plaintext = Zeroizing::new(vec![0; text.len()]);
    let opened = aead::LessSafeKey::new(key).open_separate_gather(
        aead::Nonce::assume_unique_for_key(nonce),
        aead::Aad::from(aad.as_bytes()),
        &text,
        &tag,
        &mut plaintext,
    );
    opened.map_err(|_| wrong("ciphertext"))?;
    Ok(plaintext)
}

fn decoded(text: &str) -> Option<Vec<u8>> {
    BASE64_URL_SAFE_NO_PAD.decode(text).ok()
}

const fn wrong(part: &'static str) -> ModelKeyError {
    ModelKeyError::Jwe(part)
}

#[cfg(test)]
pub(super) mod tests;
