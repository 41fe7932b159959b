//! A key broker's answer of any bytes, and of any parts around a genuine ephemeral key: nothing opens that was not sealed to this key.
#![no_main]

use base64::{Engine, prelude::BASE64_URL_SAFE_NO_PAD};
use narthex_fuzz::{joined, parts, seeds};
use std::sync::LazyLock;

#[rustfmt::skip]
#[path = "../../enclave-runtime/src/model_key/jwe.rs"]
mod jwe;

/// The one error that the parser has, as the runtime names it.
enum ModelKeyError {
    Jwe(&'static str),
}

static RECIPIENT: LazyLock<jwe::Recipient> =
    LazyLock::new(|| jwe::Recipient::generate().expect("randomness"));

libfuzzer_sys::fuzz_target!(init: plant(), |data: &[u8]| check(data));

fn check(data: &[u8]) {
    refused(data);
    let Some([encrypted_key, iv, ciphertext, tag]) = parts(data) else {
        return;
    };
    let part = |bytes: &[u8]| BASE64_URL_SAFE_NO_PAD.encode(bytes);
    let jwe = serde_json::json!({
        "protected": part(header().as_bytes()),
        "encrypted_key": part(encrypted_key),
        "iv": part(iv),
        "ciphertext": part(ciphertext),
        "tag": part(tag),
    });
    refused(jwe.to_string().as_bytes());
}

fn refused(json: &[u8]) {
    match RECIPIENT.open(json) {
        Err(ModelKeyError::Jwe(part)) => assert!(!part.is_empty()),
        Ok(_) => panic!("it opened"),
    }
}

/// The recipient's own key as the ephemeral one: a point that is on the curve in every run.
fn header() -> String {
    let jwe::PublicKey { x, y } = RECIPIENT.public().expect("a point");
    let epk = serde_json::json!({"kty": "EC", "crv": "P-256", "x": x, "y": y});
    serde_json::json!({"alg": jwe::ALG, "enc": "A256GCM", "epk": epk}).to_string()
}

fn plant() {
    let whole =
        r#"{"protected":"e30","encrypted_key":"AA","iv":"AA","ciphertext":"AA","tag":"AA"}"#;
    let split = joined(&[&[1; 40], &[2; 12], &[3; 32], &[4; 16]]);
    seeds::plant([whole.as_bytes().to_vec(), split]);
}
