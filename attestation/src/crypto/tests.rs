//! Known answers that both backends must give.

use super::{aws_lc, rust_crypto};
use aws_lc_rs::{
    rand::SystemRandom,
    rsa::{KeyPair, KeySize},
    signature::{
        ECDSA_P256_SHA256_FIXED_SIGNING, ECDSA_P384_SHA384_FIXED_SIGNING, EcdsaKeyPair,
        KeyPair as _, RSA_PKCS1_SHA256, RSA_PSS_SHA384, RsaEncoding,
    },
};

const EMPTY_SHA256: &str = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855";
const ABC_SHA384: &str = "cb00753f45a35e8bb5a03d699ac65007272c32ab0eded1631a8b605a43ff5bed8086072ba1e7cc2358baeca134c825a7";
const ABC_SHA512: &str = "ddaf35a193617abacc417349ae20413112e6fa4e89a97ea20a9eeee64b55d39a2192992a274fc1a836ba3c23a3feebbd454d4423643ce80e2a9ac94fa54ca49f";

#[test]
fn sha2_known_answers() {
    for sha256 in [super::sha256, aws_lc::sha256, rust_crypto::sha256] {
        assert_eq!(hex::encode(sha256(b"")), EMPTY_SHA256);
    }
    for sha384 in [super::sha384, aws_lc::sha384, rust_crypto::sha384] {
        assert_eq!(hex::encode(sha384(b"abc")), ABC_SHA384);
    }
    for sha512 in [super::sha512, aws_lc::sha512, rust_crypto::sha512] {
        assert_eq!(hex::encode(sha512(b"abc")), ABC_SHA512);
    }
}

#[test]
fn sha384_in_parts_is_sha384() {
    let mut aws_lc = aws_lc::Sha384::new();
    let mut rust_crypto = rust_crypto::Sha384::new();
    let mut chosen = super::Sha384::new();
    for part in [b"a".as_slice(), b"", b"bc"] {
        aws_lc.update(part);
        rust_crypto.update(part);
        chosen.update(part);
        assert_eq!(chosen.value(), chosen.value());
    }
    for value in [aws_lc.finish(), rust_crypto.finish(), chosen.value()] {
        assert_eq!(hex::encode(value), ABC_SHA384);
    }
}

/// RFC 8032 section 7.1, test 2.
#[test]
fn ed25519_known_answer() {
    let key: [u8; 32] =
        hex::decode("3d4017c3e843895a92b70aa74d1b7ebc9c982ccf2ec4968cc0cd55f12af4660c")
            .unwrap()
            .try_into()
            .unwrap();
    let signature = hex::decode("92a009a9f0d4cab8720e820b5f642540a2b27b5416503f8fb3762223ebdb69da085ac1e43e15996e458f3613d0f11d8c387b2eaeb4302aeeb00d291612bb0c00").unwrap();
    for verify in [
        super::ed25519_verify,
        aws_lc::ed25519_verify,
        rust_crypto::ed25519_verify,
    ] {
        assert!(verify(&key, &[0x72], &signature));
        assert!(!verify(&key, &[0x73], &signature));
        assert!(!verify(&key, &[0x72], &signature[..63]));
        assert!(!verify(&[0xff; 32], &[0x72], &signature));
        let mut flipped = signature.clone();
        flipped[0] ^= 1;
        assert!(!verify(&key, &[0x72], &flipped));
    }
}

type Verify = fn(&[u8], &[u8], &[u8]) -> bool;

fn refuses_anything_else(verify: Verify, key: &[u8], signature: &[u8]) {
    assert!(verify(key, b"message", signature));
    assert!(!verify(key, b"massage", signature));
    assert!(!verify(key, b"message", &signature[1..]));
    assert!(!verify(&key[1..], b"message", signature));
    assert!(!verify(key, b"message", &vec![0; signature.len()]));
    assert!(!verify(key, b"message", &vec![0xFF; signature.len()]));
    for bit in (0..signature.len() * 8).step_by(37) {
        let mut flipped = signature.to_vec();
        flipped[bit / 8] ^= 1 << (bit % 8);
        assert!(!verify(key, b"message", &flipped), "bit {bit}");
    }
}

#[test]
fn ecdsa_p384_of_both_backends_agrees() {
    let key = EcdsaKeyPair::generate(&ECDSA_P384_SHA384_FIXED_SIGNING).unwrap();
    let signature = key.sign(&SystemRandom::new(), b"message").unwrap();
    for verify in [
        aws_lc::ecdsa_p384_sha384_verify as Verify,
        rust_crypto::ecdsa_p384_sha384_verify,
    ] {
        refuses_anything_else(verify, key.public_key().as_ref(), signature.as_ref());
    }
}

#[test]
fn ecdsa_p256_of_both_backends_agrees() {
    let key = EcdsaKeyPair::generate(&ECDSA_P256_SHA256_FIXED_SIGNING).unwrap();
    let signature = key.sign(&SystemRandom::new(), b"message").unwrap();
    for verify in [
        aws_lc::ecdsa_p256_sha256_verify as Verify,
        rust_crypto::ecdsa_p256_sha256_verify,
    ] {
        refuses_anything_else(verify, key.public_key().as_ref(), signature.as_ref());
    }
}

fn signed_with_rsa(key: &KeyPair, encoding: &'static dyn RsaEncoding) -> Vec<u8> {
    let mut signature = vec![0; key.public_modulus_len()];
    let random = SystemRandom::new();
    key.sign(encoding, &random, b"message", &mut signature)
        .unwrap();
    signature
}

#[test]
fn rsa_pkcs1_of_both_backends_agrees() {
    let key = KeyPair::generate(KeySize::Rsa2048).unwrap();
    let signature = signed_with_rsa(&key, &RSA_PKCS1_SHA256);
    for verify in [
        aws_lc::rsa_pkcs1_sha256_verify as Verify,
        rust_crypto::rsa_pkcs1_sha256_verify,
    ] {
        refuses_anything_else(verify, key.public_key().as_ref(), &signature);
    }
}

#[test]
fn rsa_pss_of_both_backends_agrees() {
    let key = KeyPair::generate(KeySize::Rsa4096).unwrap();
    let signature = signed_with_rsa(&key, &RSA_PSS_SHA384);
    for verify in [
        aws_lc::rsa_pss_sha384_verify as Verify,
        rust_crypto::rsa_pss_sha384_verify,
    ] {
        refuses_anything_else(verify, key.public_key().as_ref(), &signature);
    }
}
