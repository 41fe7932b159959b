use super::*;
use coset::{CborSerializable, CoseSign1};

const TYPE: &str = "application/vnd.narthex.test";

fn signed() -> (IdentitySecret, Vec<u8>) {
    let identity = IdentitySecret::generate();
    let bytes = sign(TYPE, b"payload".to_vec(), &identity);
    (identity, bytes)
}

#[test]
fn what_was_signed_opens_and_the_crate_coset_agrees() {
    let (identity, bytes) = signed();
    let public = identity.public();
    assert_eq!(open(TYPE, &bytes, 1000, &public).unwrap(), b"payload");
    let theirs = CoseSign1::from_slice(&bytes).unwrap();
    let verified = theirs.verify_signature(b"", |signature, data| {
        ed25519_verify(&public.0, data, signature)
            .then_some(())
            .ok_or(())
    });
    assert_eq!(verified, Ok(()));
    let header = &theirs.protected.header;
    let algorithm = coset::Algorithm::Assigned(coset::iana::Algorithm::EdDSA);
    assert_eq!(header.alg, Some(algorithm));
    assert_eq!(
        header.content_type,
        Some(coset::ContentType::Text(TYPE.into()))
    );
}

#[test]
fn what_coset_signs_opens() {
    let identity = IdentitySecret::generate();
    let header = coset::HeaderBuilder::new()
        .algorithm(coset::iana::Algorithm::EdDSA)
        .content_type(TYPE.into());
    let theirs = coset::CoseSign1Builder::new()
        .protected(header.build())
        .payload(b"payload".to_vec())
        .create_signature(b"", |data| identity.sign(data).to_vec());
    let bytes = theirs.build().to_vec().unwrap();
    assert_eq!(
        open(TYPE, &bytes, 1000, &identity.public()).unwrap(),
        b"payload"
    );
}

#[test]
fn another_identity_or_content_type_is_refused() {
    let (identity, bytes) = signed();
    let other = IdentitySecret::generate().public();
    assert_eq!(open(TYPE, &bytes, 1000, &other), Err(CoseError::Signature));
    let result = open(
        "application/vnd.narthex.other",
        &bytes,
        1000,
        &identity.public(),
    );
    assert_eq!(result, Err(CoseError::Malformed));
}

#[test]
fn no_flipped_bit_and_no_cut_opens() {
    let (identity, bytes) = signed();
    for bit in 0..bytes.len() * 8 {
        let mut changed = bytes.clone();
        changed[bit / 8] ^= 1 << (bit % 8);
        assert!(
            open(TYPE, &changed, 1000, &identity.public()).is_err(),
            "bit {bit}"
        );
    }
    for length in 0..bytes.len() {
        let result = open(TYPE, &bytes[..length], 1000, &identity.public());
        assert_eq!(result, Err(CoseError::Malformed));
    }
}

#[test]
fn other_shapes_are_malformed() {
    let (identity, bytes) = signed();
    let public = identity.public();
    let parts = cbor::decode(&bytes, 1000).unwrap().into_array().unwrap();
    let mut shapes = vec![[bytes.clone(), vec![0]].concat()];
    shapes.push([vec![0xd2], bytes.clone()].concat());
    for at in 0..4 {
        let mut changed = parts.clone();
        changed[at] = Value::from(1);
        shapes.push(cbor::encode(&Value::Array(changed)));
        let mut shorter = parts.clone();
        shorter.remove(at);
        shapes.push(cbor::encode(&Value::Array(shorter)));
    }
    let mut unprotected = parts;
    unprotected[1] = Value::Map(vec![(Value::from(4), Value::from(1))]);
    shapes.push(cbor::encode(&Value::Array(unprotected)));
    for shape in shapes {
        assert_eq!(open(TYPE, &shape, 1000, &public), Err(CoseError::Malformed));
    }
    assert_eq!(
        open(TYPE, &bytes, bytes.len() - 1, &public),
        Err(CoseError::Malformed)
    );
}
