//! HPKE (RFC 9180), base mode: DHKEM(X25519, HKDF-SHA256) and X-Wing (draft-connolly-cfrg-xwing-kem), HKDF-SHA256, AES-GCM.
//!
//! Private to the crate: outside it, [`crate::Sealer`] is the only way to encrypt a request.

mod kdf;
mod kem;
mod sequence;
#[cfg(test)]
mod tests;

pub(crate) use kdf::{expand, extract};
pub(crate) use kem::{Encapsulation, Kem, KemSecret, encapsulate};
pub(crate) use sequence::SequencedAead;
#[cfg(test)]
pub(crate) use tests::x_wing_secret as x_wing_secret_of_seed;

use crate::crypto::{Aead, NONCE, Secret32};
use kdf::Labeled;
use zeroize::Zeroizing;

/// HKDF-SHA256 in the registry of KDFs (section 7.2); the only one spoken.
pub(crate) const KDF_HKDF_SHA256: u16 = 0x0001;

/// A key or an encapsulation that the KEM refuses.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct HpkeError;

/// KEM and AEAD; the KDF is always HKDF-SHA256.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Suite {
    pub(crate) kem: Kem,
    pub(crate) aead: Aead,
}

impl Suite {
    /// `"HPKE" || kem_id || kdf_id || aead_id` (section 5.1).
    fn id(self) -> [u8; 10] {
        let [k0, k1] = self.kem.id().to_be_bytes();
        let [d0, d1] = KDF_HKDF_SHA256.to_be_bytes();
        let [a0, a1] = aead_id(self.aead).to_be_bytes();
        [b'H', b'P', b'K', b'E', k0, k1, d0, d1, a0, a1]
    }
}

/// The AEAD's number in the registry (section 7.3).
pub(crate) const fn aead_id(aead: Aead) -> u16 {
    match aead {
        Aead::Aes128Gcm => 0x0001,
        Aead::Aes256Gcm => 0x0002,
    }
}

/// The AEAD with that number, if it is spoken.
pub(crate) const fn aead_from_id(id: u16) -> Option<Aead> {
    match id {
        0x0001 => Some(Aead::Aes128Gcm),
        0x0002 => Some(Aead::Aes256Gcm),
        _ => None,
    }
}

/// An encryption context (section 5.2), in its two halves.
pub(crate) struct Context {
    pub(crate) aead: SequencedAead,
    pub(crate) exporter: Exporter,
}

/// The exporter half of a context (section 5.3). Wiped on drop.
pub(crate) struct Exporter {
    secret: Secret32,
    suite_id: [u8; 10],
}

impl Exporter {
    /// `Context.Export(context, L)`, L being the length of `out`.
    pub(crate) fn export(&self, context: &[u8], out: &mut [u8]) {
        Labeled(&self.suite_id).expand(&self.secret, b"sec", &[context], out);
    }
}

/// `SetupBaseS`: a fresh encapsulation to `public_key`, and the sender's context.
pub(crate) fn setup_sender(
    suite: Suite,
    public_key: &[u8],
    info: &[u8],
) -> Result<(Vec<u8>, Context), HpkeError> {
    let Encapsulation { enc, shared_secret } =
        encapsulate(suite.kem, public_key).ok_or(HpkeError)?;
    let context = key_schedule(suite, &shared_secret, info).ok_or(HpkeError)?;
    Ok((enc, context))
}

/// [`setup_sender`] with a given ephemeral key, for published answers.
#[cfg(test)]
pub(crate) fn setup_sender_with(
    header: &crate::envelope::Header,
    public_key: &[u8],
    ephemeral: &crate::crypto::X25519Secret,
) -> (Vec<u8>, Context) {
    let public_key = public_key.try_into().unwrap();
    let sent = kem::encapsulate_x25519(ephemeral, public_key).unwrap();
    let context = key_schedule(header.suite, &sent.shared_secret, &header.info()).unwrap();
    (sent.enc, context)
}

/// `SetupBaseR`: the recipient's context for `enc`.
pub(crate) fn setup_receiver(
    suite: Suite,
    secret: &KemSecret,
    enc: &[u8],
    info: &[u8],
) -> Result<Context, HpkeError> {
    let shared_secret = secret.decapsulate(enc).ok_or(HpkeError)?;
    key_schedule(suite, &shared_secret, info).ok_or(HpkeError)
}

/// `KeySchedule` of section 5.1 in base mode: no PSK.
fn key_schedule(suite: Suite, shared_secret: &Secret32, info: &[u8]) -> Option<Context> {
    let suite_id = suite.id();
    let labeled = Labeled(&suite_id);
    let psk_id_hash = labeled.extract(b"", b"psk_id_hash", b"");
    let info_hash = labeled.extract(b"", b"info_hash", info);
    let context: [&[u8]; 3] = [&[MODE_BASE], psk_id_hash.as_slice(), info_hash.as_slice()];
    let secret = labeled.extract(shared_secret.as_slice(), b"secret", b"");
    let mut key = Zeroizing::new(vec![0; suite.aead.key_len()]);
    labeled.expand(&secret, b"key", &context, &mut key);
    let mut base_nonce = [0; NONCE];
    labeled.expand(&secret, b"base_nonce", &context, &mut base_nonce);
    let mut exporter = Secret32::default();
    labeled.expand(&secret, b"exp", &context, exporter.as_mut_slice());
    Some(Context {
        aead: SequencedAead::new(suite.aead, &key, base_nonce)?,
        exporter: Exporter {
            secret: exporter,
            suite_id,
        },
    })
}

const MODE_BASE: u8 = 0x00;
