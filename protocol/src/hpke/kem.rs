//! The KEMs: DHKEM(X25519, HKDF-SHA256) (RFC 9180 section 4.1) and X-Wing (draft-connolly-cfrg-xwing-kem section 5).

use super::kdf::Labeled;
use crate::crypto::{
    ML_KEM_CIPHERTEXT, ML_KEM_PUBLIC, MlKemSecret, Secret32, X25519Secret, exactly,
    ml_kem_encapsulate, sha3_256,
};
use crate::entropy;

/// The KEMs that this build speaks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kem {
    /// 0x0020.
    X25519,
    /// 0x647a: ML-KEM-768 and X25519.
    XWing,
}

impl Kem {
    /// The KEM's number in the registry (RFC 9180 section 7.1).
    pub(crate) const fn id(self) -> u16 {
        match self {
            Self::X25519 => 0x0020,
            Self::XWing => 0x647a,
        }
    }

    /// The KEM with that number, if it is spoken.
    pub(crate) const fn from_id(id: u16) -> Option<Self> {
        match id {
            0x0020 => Some(Self::X25519),
            0x647a => Some(Self::XWing),
            _ => None,
        }
    }

    /// Npk: bytes of a public key.
    pub(crate) const fn public_key_len(self) -> usize {
        match self {
            Self::X25519 => X25519,
            Self::XWing => ML_KEM_PUBLIC + X25519,
        }
    }

    /// Nenc: bytes of an encapsulation.
    pub(crate) const fn enc_len(self) -> usize {
        match self {
            Self::X25519 => X25519,
            Self::XWing => ML_KEM_CIPHERTEXT + X25519,
        }
    }
}

/// Bytes of an X25519 key.
const X25519: usize = 32;

/// What `Encap` gives: the bytes to send, and the secret that they carry.
pub(crate) struct Encapsulation {
    pub(crate) enc: Vec<u8>,
    pub(crate) shared_secret: Secret32,
}

/// `Encap(pkR)` with fresh randomness; `None` if `public_key` is no key of this KEM or its X25519 point has low order.
pub(crate) fn encapsulate(kem: Kem, public_key: &[u8]) -> Option<Encapsulation> {
    let mut ephemeral = Secret32::default();
    entropy::fill(ephemeral.as_mut_slice()).ok()?;
    let ephemeral = X25519Secret::from_bytes(&ephemeral)?;
    match kem {
        Kem::X25519 => encapsulate_x25519(&ephemeral, &exactly(public_key)?),
        Kem::XWing => encapsulate_x_wing(&ephemeral, public_key),
    }
}

pub(super) fn encapsulate_x25519(
    ephemeral: &X25519Secret,
    public_key: &[u8; X25519],
) -> Option<Encapsulation> {
    let enc = ephemeral.public()?;
    let shared_secret = dhkem_secret(&ephemeral.agree(public_key)?, &enc, public_key);
    Some(Encapsulation {
        enc: enc.to_vec(),
        shared_secret,
    })
}

fn encapsulate_x_wing(ephemeral: &X25519Secret, public_key: &[u8]) -> Option<Encapsulation> {
    let (ml_kem_key, x25519_key) = public_key.split_at_checked(ML_KEM_PUBLIC)?;
    let x25519_key = exactly(x25519_key)?;
    let (ciphertext, ml_kem) = ml_kem_encapsulate(&exactly(ml_kem_key)?)?;
    let enc_x25519 = ephemeral.public()?;
    let x25519 = ephemeral.agree(&x25519_key)?;
    Some(Encapsulation {
        enc: [ciphertext.as_slice(), &enc_x25519].concat(),
        shared_secret: x_wing_secret(&ml_kem, &x25519, &enc_x25519, &x25519_key),
    })
}

/// A recipient's private key with its public key. No Debug or Clone; wiped on drop.
pub(crate) enum KemSecret {
    X25519 {
        secret: X25519Secret,
        public: [u8; X25519],
    },
    XWing(Box<XWingSecret>),
}

/// Both halves of an X-Wing private key.
pub(crate) struct XWingSecret {
    ml_kem: MlKemSecret,
    x25519: X25519Secret,
    public_x25519: [u8; X25519],
    public_ml_kem: [u8; ML_KEM_PUBLIC],
}

impl KemSecret {
    /// A fresh key; `None` without randomness.
    pub(crate) fn generate(kem: Kem) -> Option<Self> {
        let mut bytes = Secret32::default();
        entropy::fill(bytes.as_mut_slice()).ok()?;
        match kem {
            Kem::X25519 => Self::x25519(&bytes),
            Kem::XWing => Self::x_wing(MlKemSecret::generate()?, &bytes),
        }
    }

    pub(crate) fn x25519(bytes: &Secret32) -> Option<Self> {
        let secret = X25519Secret::from_bytes(bytes)?;
        let public = secret.public()?;
        Some(Self::X25519 { secret, public })
    }

    pub(super) fn x_wing(
        (ml_kem, public_ml_kem): (MlKemSecret, [u8; ML_KEM_PUBLIC]),
        x25519: &Secret32,
    ) -> Option<Self> {
        let x25519 = X25519Secret::from_bytes(x25519)?;
        Some(Self::XWing(Box::new(XWingSecret {
            ml_kem,
            public_x25519: x25519.public()?,
            x25519,
            public_ml_kem,
        })))
    }

    /// The public key, Npk bytes.
    pub(crate) fn public(&self) -> Vec<u8> {
        match self {
            Self::X25519 { public, .. } => public.to_vec(),
            Self::XWing(key) => [key.public_ml_kem.as_slice(), &key.public_x25519].concat(),
        }
    }

    /// `Decap(enc, skR)`; `None` if `enc` has the wrong length or its X25519 point has low order.
    pub(crate) fn decapsulate(&self, enc: &[u8]) -> Option<Secret32> {
        match self {
            Self::X25519 { secret, public } => {
                let enc = exactly(enc)?;
                Some(dhkem_secret(&secret.agree(&enc)?, &enc, public))
            }
            Self::XWing(key) => key.decapsulate(enc),
        }
    }
}

impl XWingSecret {
    fn decapsulate(&self, enc: &[u8]) -> Option<Secret32> {
        let (ciphertext, enc_x25519) = enc.split_at_checked(ML_KEM_CIPHERTEXT)?;
        let enc_x25519 = exactly(enc_x25519)?;
        let ml_kem = self.ml_kem.decapsulate(&exactly(ciphertext)?)?;
        let x25519 = self.x25519.agree(&enc_x25519)?;
        Some(x_wing_secret(
            &ml_kem,
            &x25519,
            &enc_x25519,
            &self.public_x25519,
        ))
    }
}

/// `ExtractAndExpand(dh, enc || pkR)` of RFC 9180 section 4.1.
fn dhkem_secret(dh: &Secret32, enc: &[u8; X25519], public_key: &[u8; X25519]) -> Secret32 {
    let labeled = Labeled(&[b'K', b'E', b'M', 0x00, 0x20]);
    let prk = labeled.extract(b"", b"eae_prk", dh.as_slice());
    let mut secret = Secret32::default();
    labeled.expand(
        &prk,
        b"shared_secret",
        &[enc, public_key],
        secret.as_mut_slice(),
    );
    secret
}

/// X-Wing's combiner: SHA3-256 over both secrets, the X25519 ciphertext and public key, and the label.
fn x_wing_secret(
    ml_kem: &Secret32,
    x25519: &Secret32,
    enc_x25519: &[u8; X25519],
    public_x25519: &[u8; X25519],
) -> Secret32 {
    const LABEL: &[u8; 6] = br"\.//^\";
    sha3_256(&[
        ml_kem.as_slice(),
        x25519.as_slice(),
        enc_x25519,
        public_x25519,
        LABEL,
    ])
}
