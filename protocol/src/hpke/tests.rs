use super::{kem::encapsulate_x25519, *};
use crate::{crypto::X25519Secret, secret::Heap};
use sha3::digest::{ExtendableOutput, Update};

/// Hexadecimal to bytes.
fn unhex(text: &str) -> Vec<u8> {
    hex::decode(text).unwrap()
}

fn secret(text: &str) -> Secret32 {
    Zeroizing::new(unhex(text).try_into().unwrap())
}

const X25519_AES_128: Suite = Suite {
    kem: Kem::X25519,
    aead: Aead::Aes128Gcm,
};
const X25519_AES_256: Suite = Suite {
    kem: Kem::X25519,
    aead: Aead::Aes256Gcm,
};
const X_WING_AES_256: Suite = Suite {
    kem: Kem::XWing,
    aead: Aead::Aes256Gcm,
};

/// RFC 9180 appendix A.1.1: DHKEM(X25519, HKDF-SHA256), HKDF-SHA256, AES-128-GCM, base mode.
mod rfc_9180_a_1_1 {
    pub(super) const INFO: &str = "4f6465206f6e2061204772656369616e2055726e";
    pub(super) const SK_E: &str =
        "52c4a758a802cd8b936eceea314432798d5baf2d7e9235dc084ab1b9cfa2f736";
    pub(super) const SK_R: &str =
        "4612c550263fc8ad58375df3f557aac531d26850903e55a9f23f21d8534e8ac8";
    pub(super) const PK_R: &str =
        "3948cfe0ad1ddb695d780e59077195da6c56506b027329794ab02bca80815c4d";
    pub(super) const ENC: &str = "37fda3567bdbd628e88668c3c8d7e97d1d1253b6d4ea6d44c150f741f1bf4431";
    pub(super) const SHARED_SECRET: &str =
        "fe0e18c9f024ce43799ae393c7e8fe8fce9d218875e8227b0187c04e7d2ea1fc";
    pub(super) const PLAINTEXT: &str = "4265617574792069732074727574682c20747275746820626561757479";
    /// Sequence number, ciphertext; the additional data is `Count-` and the number.
    pub(super) const ENCRYPTIONS: [(u64, &str); 6] = [
        (
            0,
            "f938558b5d72f1a23810b4be2ab4f84331acc02fc97babc53a52ae8218a355a96d8770ac83d07bea87e13c512a",
        ),
        (
            1,
            "af2d7e9ac9ae7e270f46ba1f975be53c09f8d875bdc8535458c2494e8a6eab251c03d0c22a56b8ca42c2063b84",
        ),
        (
            2,
            "498dfcabd92e8acedc281e85af1cb4e3e31c7dc394a1ca20e173cb72516491588d96a19ad4a683518973dcc180",
        ),
        (
            4,
            "583bd32bc67a5994bb8ceaca813d369bca7b2a42408cddef5e22f880b631215a09fc0012bc69fccaa251c0246d",
        ),
        (
            255,
            "7175db9717964058640a3a11fb9007941a5d1757fda1a6935c805c21af32505bf106deefec4a49ac38d71c9e0a",
        ),
        (
            256,
            "957f9800542b0b8891badb026d79cc54597cb2d225b54c00c5238c25d05c30e3fbeda97d2e0e1aba483a2df9f2",
        ),
    ];
    pub(super) const EXPORTS: [(&str, &str); 3] = [
        (
            "",
            "3853fe2b4035195a573ffc53856e77058e15d9ea064de3e59f4961d0095250ee",
        ),
        (
            "00",
            "2e8f0b54673c7029649d4eb9d5e33bf1872cf76d623ff164ac185da9e88c21a5",
        ),
        (
            "54657374436f6e74657874",
            "e9e43065102c3836401bed8c3c3c75ae46be1639869391d62c61f1ec7af54931",
        ),
    ];
}

#[test]
fn rfc_9180_a_1_1_encapsulation() {
    use rfc_9180_a_1_1::*;
    let ephemeral = X25519Secret::from_bytes(secret(SK_E).as_slice()).unwrap();
    let public = unhex(PK_R).try_into().unwrap();
    let sent = encapsulate_x25519(&ephemeral, &public).unwrap();
    assert_eq!(hex::encode(&sent.enc), ENC);
    assert_eq!(hex::encode(*sent.shared_secret), SHARED_SECRET);
    let recipient = KemSecret::x25519(&secret(SK_R), &Heap).unwrap();
    assert_eq!(recipient.public(), unhex(PK_R));
    assert_eq!(recipient.decapsulate(&sent.enc), Some(sent.shared_secret));
}

#[test]
fn rfc_9180_a_1_1_encryptions_and_exports() {
    use rfc_9180_a_1_1::*;
    let recipient = KemSecret::x25519(&secret(SK_R), &Heap).unwrap();
    let context = || setup_receiver(X25519_AES_128, &recipient, &unhex(ENC), &unhex(INFO)).unwrap();
    for (sequence, ciphertext) in ENCRYPTIONS {
        let aad = format!("Count-{sequence}");
        let mut aead = context().aead;
        aead.jump_to(sequence);
        let mut sealed = vec![0; ciphertext.len() / 2];
        aead.seal(aad.as_bytes(), &unhex(PLAINTEXT), &mut sealed)
            .unwrap();
        assert_eq!(hex::encode(&sealed), ciphertext);
        aead.jump_to(sequence);
        let mut text = unhex(ciphertext);
        assert_eq!(
            aead.open(aad.as_bytes(), &mut text).unwrap(),
            unhex(PLAINTEXT)
        );
    }
    for (exporter_context, value) in EXPORTS {
        let mut exported = [0; 32];
        context()
            .exporter
            .export(&unhex(exporter_context), &mut exported);
        assert_eq!(hex::encode(exported), value);
    }
}

/// The expanded private key of an X-Wing seed: SHAKE256 to 96 bytes, the ML-KEM seed and the X25519 scalar.
pub(crate) fn x_wing_secret(seed: &[u8]) -> KemSecret {
    let mut expanded = [0; 96];
    sha3::Shake256::default()
        .chain(seed)
        .finalize_xof_into(&mut expanded);
    let (ml_kem, x25519) = expanded.split_at(64);
    let ml_kem =
        ml_kem::DecapsulationKey::<ml_kem::MlKem768>::from_seed(ml_kem.try_into().unwrap());
    let public = ml_kem::KeyExport::to_bytes(ml_kem.encapsulation_key());
    #[expect(deprecated, reason = "aws-lc-rs takes no seed")]
    let expanded = ml_kem::ExpandedKeyEncoding::to_expanded_bytes(&ml_kem);
    let ml_kem = Zeroizing::new(expanded.to_vec());
    let x25519 = Zeroizing::new(x25519.try_into().unwrap());
    let public = public.as_slice().try_into().unwrap();
    KemSecret::x_wing((ml_kem, public), &x25519, &Heap).unwrap()
}

#[test]
fn x_wing_appendix_c() {
    let vectors: serde_json::Value =
        serde_json::from_str(include_str!("../../vectors/x-wing.json")).unwrap();
    let vectors = vectors.as_array().unwrap();
    assert_eq!(vectors.len(), 3);
    for vector in vectors {
        let bytes = |name: &str| unhex(vector[name].as_str().unwrap());
        let key = x_wing_secret(&bytes("seed"));
        assert_eq!(key.public(), bytes("pk"));
        let shared_secret = key.decapsulate(&bytes("ct")).unwrap();
        assert_eq!(shared_secret.as_slice(), bytes("ss"));
    }
}

/// The crate `hpke` on the other end, both ways round.
macro_rules! agrees_with_hpke {
    ($name:ident, $suite:expr, $aead:ty, $kem:ty) => {
        #[test]
        fn $name() {
            use ::hpke::{
                Deserializable, Kem as _, OpModeR, OpModeS, Serializable, kdf::HkdfSha256,
            };
            let theirs = <$kem>::gen_keypair();
            let public = theirs.1.to_bytes();
            let (enc, mut ours) = setup_sender($suite, &public, b"info").unwrap();
            let enc = <$kem as ::hpke::Kem>::EncappedKey::from_bytes(&enc).unwrap();
            let mut peer = ::hpke::setup_receiver::<$aead, HkdfSha256, $kem>(
                &OpModeR::Base,
                &theirs.0,
                &enc,
                b"info",
            )
            .unwrap();
            for text in [b"one".as_slice(), b"", b"three"] {
                let mut sealed = vec![0; text.len() + 16];
                ours.aead.seal(b"aad", text, &mut sealed).unwrap();
                assert_eq!(peer.open(&sealed, b"aad").unwrap(), text);
            }
            let (mut a, mut b) = ([0; 32], [0; 32]);
            ours.exporter.export(b"context", &mut a);
            peer.export(b"context", &mut b).unwrap();
            assert_eq!(a, b);

            let mine = KemSecret::generate($suite.kem, &Heap).unwrap();
            let public = <$kem as ::hpke::Kem>::PublicKey::from_bytes(mine.public()).unwrap();
            let (enc, mut peer) =
                ::hpke::setup_sender::<$aead, HkdfSha256, $kem>(&OpModeS::Base, &public, b"info")
                    .unwrap();
            let mut ours = setup_receiver($suite, &mine, &enc.to_bytes(), b"info").unwrap();
            for text in [b"one".as_slice(), b"", b"three"] {
                let mut sealed = peer.seal(text, b"aad").unwrap();
                assert_eq!(ours.aead.open(b"aad", &mut sealed).unwrap(), text);
            }
        }
    };
}

agrees_with_hpke!(
    hpke_x25519_aes_128,
    X25519_AES_128,
    ::hpke::aead::AesGcm128,
    ::hpke::kem::X25519HkdfSha256
);
agrees_with_hpke!(
    hpke_x25519_aes_256,
    X25519_AES_256,
    ::hpke::aead::AesGcm256,
    ::hpke::kem::X25519HkdfSha256
);
agrees_with_hpke!(
    hpke_x_wing_aes_256,
    X_WING_AES_256,
    ::hpke::aead::AesGcm256,
    ::hpke::kem::XWing
);

/// R6.1.
#[test]
fn points_of_low_order_are_refused_on_both_ends() {
    for point in crate::crypto::LOW_ORDER_POINTS {
        let point = unhex(point);
        assert!(setup_sender(X25519_AES_128, &point, b"").is_err());
        let x25519 = KemSecret::generate(Kem::X25519, &Heap).unwrap();
        assert!(x25519.decapsulate(&point).is_none());

        let x_wing = KemSecret::generate(Kem::XWing, &Heap).unwrap();
        let mut public = x_wing.public().to_vec();
        public.splice(1184.., point.iter().copied());
        assert!(setup_sender(X_WING_AES_256, &public, b"").is_err());
        let mut enc = encapsulate(Kem::XWing, x_wing.public()).unwrap().enc;
        enc.splice(1088.., point.iter().copied());
        assert!(x_wing.decapsulate(&enc).is_none());
    }
}

#[test]
fn keys_and_encapsulations_of_the_wrong_length_are_refused() {
    for suite in [X25519_AES_128, X_WING_AES_256] {
        let key = KemSecret::generate(suite.kem, &Heap).unwrap();
        let public = key.public();
        let (enc, _) = setup_sender(suite, public, b"").unwrap();
        assert_eq!(public.len(), suite.kem.public_key_len());
        assert_eq!(enc.len(), suite.kem.enc_len());
        let longer = |bytes: &[u8]| [bytes, &[0]].concat();
        assert!(setup_sender(suite, &longer(public), b"").is_err());
        assert!(setup_sender(suite, &public[1..], b"").is_err());
        assert!(setup_receiver(suite, &key, &longer(&enc), b"").is_err());
        assert!(setup_receiver(suite, &key, &enc[1..], b"").is_err());
    }
}

#[test]
fn an_ml_kem_key_out_of_range_is_refused() {
    let key = KemSecret::generate(Kem::XWing, &Heap).unwrap();
    let mut public = key.public().to_vec();
    public[..3].fill(0xff);
    assert!(setup_sender(X_WING_AES_256, &public, b"").is_err());
}

#[test]
fn another_info_is_another_context() {
    let key = KemSecret::generate(Kem::X25519, &Heap).unwrap();
    let (enc, mut sender) = setup_sender(X25519_AES_128, key.public(), b"a").unwrap();
    let mut receiver = setup_receiver(X25519_AES_128, &key, &enc, b"b").unwrap();
    let mut tag = [0; 16];
    sender.aead.seal(b"", b"", &mut tag).unwrap();
    assert!(receiver.aead.open(b"", &mut tag).is_none());
}
