//! One backend checked against the other, and both against published answers.

use super::rust_crypto;
use super::*;

#[test]
fn hashes_agree() {
    for length in [0, 1, 63, 64, 65, 1000] {
        let data = vec![7; length];
        let mut theirs = rust_crypto::Sha256::new();
        theirs.update(&data);
        assert_eq!(sha256(&data), theirs.finish());
        let parts: [&[u8]; 3] = [b"a", &data, b"b"];
        assert_eq!(sha3_256(&parts), rust_crypto::sha3_256(&parts));
        for key in [&[][..], &[1; 32], &[2; 64], &[3; 65], &[4; 200]] {
            let theirs = rust_crypto::hmac_sha256(key, &parts);
            assert_eq!(hmac_sha256(key, &parts), theirs);
        }
    }
}

#[test]
fn hmac_rfc_4231_case_2() {
    let expected = "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843";
    let mac = hmac_sha256(b"Jefe", &[b"what do ya want ", b"for nothing?"]);
    assert_eq!(hex::encode(*mac), expected);
}

/// A message in two pieces, the first of them in place.
fn sealed(seal: impl Fn(&[u8], &mut [u8]) -> Option<()>) -> Vec<u8> {
    let mut out = [b"plain".as_slice(), &[0; 4 + TAG]].concat();
    seal(b"text", &mut out).unwrap();
    assert!(seal(b"longer than the whole of out", &mut out.clone()).is_none());
    out
}

#[test]
fn aeads_agree_and_refuse_any_change() {
    for aead in [Aead::Aes128Gcm, Aead::Aes256Gcm] {
        let key = vec![5; aead.key_len()];
        let ours = AeadKey::new(aead, &key).unwrap();
        let theirs = rust_crypto::AeadKey::new(aead, &key).unwrap();
        let a = sealed(|bulk, out| ours.seal([6; NONCE], b"aad", bulk, out));
        let b = sealed(|bulk, out| theirs.seal([6; NONCE], b"aad", bulk, out));
        assert_eq!(a, b);
        let mut text = [0; 9];
        ours.open_into([6; NONCE], b"aad", &a, &mut text).unwrap();
        assert_eq!(&text, b"plaintext");
        text = [0; 9];
        theirs.open_into([6; NONCE], b"aad", &a, &mut text).unwrap();
        assert_eq!(&text, b"plaintext");
        for length in [8, 10, 25, 26] {
            let mut text = vec![0; length];
            assert!(ours.open_into([6; NONCE], b"aad", &a, &mut text).is_none());
            assert!(
                theirs
                    .open_into([6; NONCE], b"aad", &a, &mut text)
                    .is_none()
            );
        }
        assert_eq!(
            theirs.open([6; NONCE], b"aad", &mut a.clone()).unwrap(),
            b"plaintext"
        );
        assert_eq!(
            ours.open([6; NONCE], b"aad", &mut a.clone()).unwrap(),
            b"plaintext"
        );
        for at in 0..a.len() {
            let mut changed = a.clone();
            changed[at] ^= 1;
            assert!(
                ours.open([6; NONCE], b"aad", &mut changed.clone())
                    .is_none()
            );
            let mut text = [0; 9];
            for refused in [
                theirs.open_into([6; NONCE], b"aad", &changed, &mut text),
                ours.open_into([6; NONCE], b"aad", &changed, &mut text),
            ] {
                assert!(refused.is_none());
            }
            assert!(theirs.open([6; NONCE], b"aad", &mut changed).is_none());
        }
        assert!(ours.open([7; NONCE], b"aad", &mut a.clone()).is_none());
        assert!(theirs.open([6; NONCE], b"", &mut a.clone()).is_none());
        assert!(theirs.open([6; NONCE], b"", &mut [0; 15]).is_none());
        assert!(rust_crypto::AeadKey::new(aead, &[0; 17]).is_none());
    }
}

#[test]
fn x25519_agrees() {
    let (a, b) = ([1; 32], [2; 32]);
    let ours = X25519Secret::from_bytes(&a).unwrap();
    let theirs = rust_crypto::X25519Secret::from_bytes(&b).unwrap();
    let (public, peer) = (ours.public().unwrap(), theirs.public().unwrap());
    assert_eq!(
        rust_crypto::X25519Secret::from_bytes(&a).unwrap().public(),
        Some(public)
    );
    let secret = ours.agree(&peer).unwrap();
    assert_eq!(theirs.agree(&public), Some(secret));
}

#[test]
fn x25519_refuses_points_of_low_order() {
    for point in LOW_ORDER_POINTS {
        let point = hex::decode(point).unwrap().try_into().unwrap();
        assert!(
            X25519Secret::from_bytes(&[1; 32])
                .unwrap()
                .agree(&point)
                .is_none()
        );
        let theirs = rust_crypto::X25519Secret::from_bytes(&[1; 32]).unwrap();
        assert!(theirs.agree(&point).is_none());
    }
}

#[test]
fn ml_kem_agrees() {
    let (ours, public) = MlKemSecret::generate().unwrap();
    let ours = MlKemSecret::from_bytes(&ours).unwrap();
    let (ciphertext, secret) = rust_crypto::ml_kem_encapsulate(&public).unwrap();
    assert_eq!(ours.decapsulate(&ciphertext), Some(secret));
    let (theirs, public) = rust_crypto::MlKemSecret::generate().unwrap();
    let theirs = rust_crypto::MlKemSecret::from_bytes(&theirs).unwrap();
    let (ciphertext, secret) = ml_kem_encapsulate(&public).unwrap();
    assert_eq!(theirs.decapsulate(&ciphertext), Some(secret));
    assert!(ml_kem_encapsulate(&[0xff; ML_KEM_PUBLIC]).is_none());
    assert!(rust_crypto::ml_kem_encapsulate(&[0xff; ML_KEM_PUBLIC]).is_none());
}

#[test]
fn private_keys_of_the_wrong_length_are_refused() {
    for length in [0, 31, 33, 63, 65, 2399, 2401] {
        let bytes = vec![1; length];
        assert!(X25519Secret::from_bytes(&bytes).is_none());
        assert!(rust_crypto::X25519Secret::from_bytes(&bytes).is_none());
        assert!(MlKemSecret::from_bytes(&bytes).is_none());
        assert!(rust_crypto::MlKemSecret::from_bytes(&bytes).is_none());
        assert!(rust_crypto::Ed25519Secret::from_seed(&bytes).is_none());
    }
    assert!(Ed25519Secret::from_seed(&[1; 31]).is_none());
}

/// RFC 8032 section 7.1, test 1.
#[test]
fn ed25519_agrees() {
    let seed = hex::decode("9d61b19deffd5a60ba844af492ec2cc44449c5697b326919703bac031cae7f60");
    let public = "d75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a";
    let signature = "e5564300c360ac729086e2cc806e828a84877f1eb8e5d974d873e065224901555fb8821590a33bacc61e39701cf9b46bd25bf5f0595bbe24655141438e7a100b";
    let seed = seed.unwrap();
    let ours = Ed25519Secret::from_seed(&seed).unwrap();
    let theirs = rust_crypto::Ed25519Secret::from_seed(&seed).unwrap();
    assert_eq!(hex::encode(ours.public()), public);
    assert_eq!(hex::encode(theirs.public()), public);
    assert_eq!(hex::encode(ours.sign(b"")), signature);
    assert_eq!(hex::encode(theirs.sign(b"")), signature);
}

#[test]
fn ed25519_signatures_verify() {
    let ours = Ed25519Secret::from_seed(&[1; 32]).unwrap();
    let theirs = rust_crypto::Ed25519Secret::from_seed(&[2; 32]).unwrap();
    let verify = attestation::crypto::ed25519_verify;
    assert!(verify(&ours.public(), b"message", &ours.sign(b"message")));
    assert!(verify(
        &theirs.public(),
        b"message",
        &theirs.sign(b"message")
    ));
    assert!(!verify(&ours.public(), b"massage", &ours.sign(b"message")));
    assert!(!verify(
        &theirs.public(),
        b"message",
        &ours.sign(b"message")
    ));
}
