//! Vectors of RFC 7518 appendix C and RFC 3394 section 4.6, a sender written from the RFCs, and every part that can be wrong.

use super::*;
use serde_json::{Value, json};

fn b64(bytes: impl AsRef<[u8]>) -> String {
    BASE64_URL_SAFE_NO_PAD.encode(bytes)
}

fn unb64(text: &str) -> Vec<u8> {
    BASE64_URL_SAFE_NO_PAD.decode(text).unwrap()
}

/// What a key broker makes of `plaintext` for the JWK of a recipient.
pub(in crate::model_key) fn seal(jwk: &Value, plaintext: &[u8]) -> Value {
    let of = |name: &str| unb64(jwk[name].as_str().unwrap());
    let point = [&[UNCOMPRESSED], of("x").as_slice(), &of("y")].concat();
    let peer = agreement::UnparsedPublicKey::new(&agreement::ECDH_P256, point);
    let ephemeral = Recipient::generate().unwrap();
    let wrapping_key = agreement::agree(&ephemeral.0, peer, (), |secret| {
        Ok(concat_kdf(secret, (ALG, KEY_BITS), b"", b""))
    });
    let kek = AesKek::new(&AES_256, wrapping_key.unwrap().as_slice()).unwrap();
    let (key, mut wrapped) = ([0x33; KEY], [0; KEY + 8]);
    kek.wrap(&key, &mut wrapped).unwrap();
    let PublicKey { x, y } = ephemeral.public().unwrap();
    let epk = json!({"kty": "EC", "crv": CURVE, "x": x, "y": y});
    let protected = b64(json!({"alg": ALG, "enc": ENC, "epk": epk}).to_string());
    let content = aead::UnboundKey::new(&aead::AES_256_GCM, &key).unwrap();
    let mut text = plaintext.to_vec();
    let tag = aead::LessSafeKey::new(content)
        .seal_in_place_separate_tag(
            aead::Nonce::assume_unique_for_key([5; NONCE]),
            aead::Aad::from(protected.as_bytes()),
            &mut text,
        )
        .unwrap();
    json!({
        "protected": protected,
        "encrypted_key": b64(wrapped),
        "iv": b64([5; NONCE]),
        "ciphertext": b64(text),
        "tag": b64(tag),
    })
}

fn jwk(recipient: &Recipient) -> Value {
    let PublicKey { x, y } = recipient.public().unwrap();
    json!({"x": x, "y": y})
}

fn part(recipient: &Recipient, jwe: &Value) -> &'static str {
    match recipient.open(jwe.to_string().as_bytes()) {
        Err(ModelKeyError::Jwe(part)) => part,
        Err(other) => panic!("{other}"),
        Ok(_) => panic!("it opened"),
    }
}

#[test]
fn what_is_sealed_opens() {
    let recipient = Recipient::generate().unwrap();
    for plaintext in [&b""[..], b"x", &[7; 32], &[8; 1000]] {
        let jwe = seal(&jwk(&recipient), plaintext).to_string();
        assert_eq!(&*recipient.open(jwe.as_bytes()).unwrap(), plaintext);
    }
}

/// RFC 7518 appendix C.
#[test]
fn the_agreement_is_the_rfcs() {
    let bob = Recipient::of(&unb64("VEmDZpDXXK8p8N0Cndsxs924q6nS1RXFASRl6BfUqdw"));
    let public = bob.public().unwrap();
    assert_eq!(public.x, "weNJy2HscCSM6AEDTDg04biOvhFhyyWvOHQfeF_PxMQ");
    assert_eq!(public.y, "e8lnCO-AlStT-NJVX-crhB7QRYhiix03illJOVAOyck");
    let epk = EphemeralKey {
        kty: "EC".to_owned(),
        crv: CURVE.to_owned(),
        x: "gI0GAILBdu7T53akrFmMyGcsF3n5dO7MmwNBHKW5SV0".to_owned(),
        y: "SLW_xSffzlPWrHEVI30DHM_4egVwt3NQqeUD7nMFpps".to_owned(),
    };
    let peer = agreement::UnparsedPublicKey::new(&agreement::ECDH_P256, epk.point().unwrap());
    let derived = agreement::agree(&bob.0, peer, (), |secret| {
        Ok(concat_kdf(secret, ("A128GCM", 128), b"Alice", b"Bob"))
    });
    let derived = derived.unwrap();
    assert_eq!(b64(&derived[..16]), "VqqN6vgjbSBcIijNcacQGg");
}

/// RFC 3394 section 4.6.
#[test]
fn the_key_wrap_is_the_rfcs() {
    let kek: [u8; 32] = std::array::from_fn(|at| at as u8);
    let wrapped = hex::decode(
        "28c9f404c4b810f4cbccb35cfb87f8263f5786e2d80ed326cbc7f0e71a99f43bfb988b9b7a02dd21",
    );
    let key = unwrapped(&kek, &b64(wrapped.unwrap())).unwrap();
    let expected = "00112233445566778899aabbccddeeff000102030405060708090a0b0c0d0e0f";
    assert_eq!(hex::encode(key.as_slice()), expected);
}

#[test]
fn another_recipient_opens_nothing() {
    let (one, other) = (
        Recipient::generate().unwrap(),
        Recipient::generate().unwrap(),
    );
    let jwe = seal(&jwk(&one), b"key");
    assert_eq!(part(&other, &jwe), "encrypted_key");
}

#[test]
fn every_changed_part_is_refused() {
    let recipient = Recipient::generate().unwrap();
    let good = seal(&jwk(&recipient), &[7; 32]);
    for (name, expected) in [
        ("encrypted_key", "encrypted_key"),
        ("iv", "ciphertext"),
        ("ciphertext", "ciphertext"),
        ("tag", "ciphertext"),
    ] {
        let mut changed = good.clone();
        let mut bytes = unb64(good[name].as_str().unwrap());
        bytes[0] ^= 1;
        changed[name] = b64(bytes).into();
        assert_eq!(part(&recipient, &changed), expected, "{name}");
    }
    for name in ["encrypted_key", "iv", "tag"] {
        let mut shorter = good.clone();
        let bytes = unb64(good[name].as_str().unwrap());
        shorter[name] = b64(&bytes[1..]).into();
        assert_eq!(part(&recipient, &shorter), name);
        shorter[name] = "not base64url!".into();
        assert_eq!(part(&recipient, &shorter), name);
    }
    let mut with_aad = good.clone();
    with_aad["aad"] = b64("more").into();
    assert_eq!(part(&recipient, &with_aad), "ciphertext");
    let mut with_more = good;
    with_more["unprotected"] = json!({"alg": "dir"});
    assert_eq!(part(&recipient, &with_more), "its form");
}

#[test]
fn only_one_suite_is_spoken() {
    let recipient = Recipient::generate().unwrap();
    let good = seal(&jwk(&recipient), &[7; 32]);
    let header: Value =
        serde_json::from_slice(&unb64(good["protected"].as_str().unwrap())).unwrap();
    let with = |edit: &dyn Fn(&mut Value)| {
        let (mut header, mut jwe) = (header.clone(), good.clone());
        edit(&mut header);
        jwe["protected"] = b64(header.to_string()).into();
        part(&recipient, &jwe)
    };
    assert_eq!(with(&|header| header["alg"] = "RSA1_5".into()), "alg");
    assert_eq!(with(&|header| header["alg"] = "dir".into()), "alg");
    assert_eq!(
        with(&|header| header["enc"] = "A128CBC-HS256".into()),
        "enc"
    );
    assert_eq!(with(&|header| header["zip"] = "DEF".into()), "protected");
    assert_eq!(with(&|header| header["crit"] = json!(["b64"])), "protected");
    assert_eq!(with(&|header| header["epk"]["crv"] = "P-384".into()), "epk");
    assert_eq!(with(&|header| header["epk"]["kty"] = "OKP".into()), "epk");
    let off_the_curve = b64([1; COORDINATE]);
    let y = |header: &mut Value| header["epk"]["y"] = off_the_curve.clone().into();
    assert_eq!(with(&y), "epk");
    assert_eq!(
        with(&|header| header["epk"]["x"] = b64([1; 31]).into()),
        "epk"
    );
    // Authenticated and harmless, but not what was sealed.
    assert_eq!(
        with(&|header| header["apu"] = b64("x").into()),
        "encrypted_key"
    );
}

/// Any byte of an answer may be another, and an answer may end anywhere: none of them opens, and none ends the process.
#[test]
fn no_byte_of_an_answer_can_be_another() {
    let recipient = Recipient::generate().unwrap();
    let good = seal(&jwk(&recipient), &[7; 32]).to_string().into_bytes();
    for at in 0..good.len() {
        let mut changed = good.clone();
        changed[at] ^= 1;
        assert!(recipient.open(&changed).is_err(), "byte {at}");
        assert!(recipient.open(&good[..at]).is_err(), "cut at {at}");
    }
    let longer = [good.as_slice(), b"x"].concat();
    assert!(recipient.open(&longer).is_err());
    assert!(recipient.open(&good).is_ok(), "the control");
}

/// A part that is there twice would be read by one as the first and by another as the last.
#[test]
fn a_part_that_is_there_twice_is_refused() {
    let recipient = Recipient::generate().unwrap();
    let good = seal(&jwk(&recipient), &[7; 32]).to_string();
    let twice = good.replacen('{', "{\"tag\":\"AA\",", 1);
    let opened = recipient.open(twice.as_bytes());
    assert!(matches!(opened, Err(ModelKeyError::Jwe("its form"))));
    let compact = "e30.AA.AA.AA.AA";
    let opened = recipient.open(compact.as_bytes());
    assert!(matches!(opened, Err(ModelKeyError::Jwe("its form"))));
}
