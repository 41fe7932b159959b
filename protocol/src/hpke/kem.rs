//! The KEMs: DHKEM(X25519, HKDF-SHA256) (RFC 9180 section 4.1) and X-Wing (draft-connolly-cfrg-xwing-kem section 5).

use super::kdf::Labeled;
use crate::crypto::{
    ML_KEM_CIPHERTEXT, ML_KEM_PUBLIC, MlKemSecret, Secret32, X25519Secret, exactly,
    ml_kem_encapsulate, sha3_256,
};
use crate::entropy;
use crate::secret::{KeptSecret, SecretMemory};
use zeroize::Zeroizing;

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
// R6.1
pub(crate) fn encapsulate(kem: Kem, public_key: &[u8]) -> Option<Encapsulation> {
    let mut ephemeral = Secret32::default();
    entropy::fill(ephemeral.as_mut_slice()).ok()?;
    let ephemeral = X25519Secret::from_bytes(ephemeral.as_slice())?;
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
///
/// The private key rests as bytes where its [`SecretMemory`] puts them. The keys that compute are made from these for one decapsulation
/// and wiped: that copies ML-KEM's key and derives the X25519 public key again, a fixed-base multiplication and the price of it.
pub(crate) struct KemSecret {
    kem: Kem,
    /// X25519: the scalar. X-Wing: ML-KEM's key as [`MlKemSecret::from_bytes`] takes it, then the scalar.
    kept: Box<dyn KeptSecret>,
    public: Vec<u8>,
}

impl KemSecret {
    /// A fresh key that rests in `memory`; `None` without randomness.
    pub(crate) fn generate(kem: Kem, memory: &dyn SecretMemory) -> Option<Self> {
        let mut scalar = Secret32::default();
        entropy::fill(scalar.as_mut_slice()).ok()?;
        match kem {
            Kem::X25519 => Self::x25519(&scalar, memory),
            Kem::XWing => Self::x_wing(MlKemSecret::generate()?, &scalar, memory),
        }
    }

    pub(crate) fn x25519(scalar: &Secret32, memory: &dyn SecretMemory) -> Option<Self> {
        let public = X25519Secret::from_bytes(scalar.as_slice())?.public()?;
        Some(Self {
            kem: Kem::X25519,
            kept: memory.keep(scalar.as_slice()),
            public: public.to_vec(),
        })
    }

    pub(super) fn x_wing(
        (ml_kem, public_ml_kem): (Zeroizing<Vec<u8>>, [u8; ML_KEM_PUBLIC]),
        scalar: &Secret32,
        memory: &dyn SecretMemory,
    ) -> Option<Self> {
        let public_x25519 = X25519Secret::from_bytes(scalar.as_slice())?.public()?;
        let secret = Zeroizing::new([ml_kem.as_slice(), scalar.as_slice()].concat());
        Some(Self {
            kem: Kem::XWing,
            kept: memory.keep(&secret),
            public: [public_ml_kem.as_slice(), &public_x25519].concat(),
        })
    }

    /// The public key, Npk bytes.
    pub(crate) fn public(&self) -> &[u8] {
        &self.public
    }

    /// `Decap(enc, skR)`; `None` if `enc` has the wrong length or its X25519 point has low order.
    pub(crate) fn decapsulate(&self, enc: &[u8]) -> Option<Secret32> {
        match self.kem {
            Kem::X25519 => self.decapsulate_x25519(&exactly(enc)?),
            Kem::XWing => self.decapsulate_x_wing(enc),
        }
    }

    fn decapsulate_x25519(&self, enc: &[u8; X25519]) -> Option<Secret32> {
        let secret = X25519Secret::from_bytes(self.kept.expose())?;
        Some(dhkem_secret(&secret.agree(enc)?, enc, &self.public))
    }

    fn decapsulate_x_wing(&self, enc: &[u8]) -> Option<Secret32> {
        let (ciphertext, enc_x25519) = enc.split_at_checked(ML_KEM_CIPHERTEXT)?;
        let enc_x25519 = exactly(enc_x25519)?;
        let (ml_kem, scalar) = self.kept.expose().split_last_chunk::<X25519>()?;
        let (_, public_x25519) = self.public.split_last_chunk()?;
        let ml_kem = MlKemSecret::from_bytes(ml_kem)?.decapsulate(&exactly(ciphertext)?)?;
        let x25519 = X25519Secret::from_bytes(scalar)?.agree(&enc_x25519)?;
        Some(x_wing_secret(&ml_kem, &x25519, &enc_x25519, public_x25519))
    }
}

/// `ExtractAndExpand(dh, enc || pkR)` of RFC 9180 section 4.1.
fn dhkem_secret(dh: &Secret32, enc: &[u8; X25519], public_key: &[u8]) -> Secret32 {
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
