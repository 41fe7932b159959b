use super::*;
use crate::{
    IdentitySecret,
    hpke::{Kem, Suite},
    test_exchange::{MANIFEST, NOW, Node},
};

fn verify(node: &Node) -> Result<KeyConfigs, KeyConfigError> {
    node.keys().verify(&node.identity.public(), &MANIFEST, NOW)
}

/// The answer to a list that was changed before it was signed.
fn with(change: impl FnOnce(&mut KeyConfigs)) -> Result<KeyConfigs, KeyConfigError> {
    let mut node = Node::new();
    change(&mut node.configs);
    verify(&node)
}

#[test]
fn a_signed_list_comes_back() {
    let node = Node::new();
    assert_eq!(verify(&node), Ok(node.configs));
}

#[test]
fn x_wing_comes_first_and_both_share_the_epochs_key_id() {
    let node = Node::new();
    let parsed = ohttp_keys::parse(&node.configs.configs).unwrap();
    let kems: Vec<Kem> = parsed.iter().map(|config| config.suite.kem).collect();
    assert_eq!(kems, [Kem::XWing, Kem::X25519]);
    assert!(parsed.iter().all(|config| config.key_id == 0x07));
    assert_eq!(node.configs.preferred().unwrap(), parsed[0]);
}

/// R5.3.
#[test]
fn another_identitys_list_is_refused() {
    let (node, other) = (Node::new(), IdentitySecret::generate());
    let forged = node.configs.sign(&other);
    let verify = |list: &SignedKeyConfigs, identity| list.verify(&identity, &MANIFEST, NOW);
    let attested = node.identity.public();
    assert_eq!(verify(&forged, attested), Err(KeyConfigError::Signature));
    let result = verify(&forged, other.public());
    assert_eq!(result, Err(KeyConfigError::NotAttested));
}

#[test]
fn another_manifests_list_is_refused() {
    let result = with(|configs| configs.manifest = [0; 32]);
    assert_eq!(result, Err(KeyConfigError::NotAttested));
    let result = with(|configs| configs.identity = [0; 32]);
    assert_eq!(result, Err(KeyConfigError::NotAttested));
}

#[test]
fn the_window_is_half_open() {
    let node = Node::new();
    let at = |time| node.keys().verify(&node.identity.public(), &MANIFEST, time);
    let (first, end) = (node.configs.not_before, node.configs.expires);
    assert!(at(first).is_ok());
    assert_eq!(at(UnixTime(first.0 - 1)), Err(KeyConfigError::NotYetValid));
    assert!(at(UnixTime(end.0 - 1)).is_ok());
    assert_eq!(at(end), Err(KeyConfigError::Expired));
}

#[test]
fn inconsistent_lists_are_malformed() {
    let changes: [fn(&mut KeyConfigs); 9] = [
        |configs| configs.node = "Node 1".into(),
        |configs| configs.node = String::new(),
        |configs| configs.expires = configs.not_before,
        |configs| configs.epoch += 1,
        |configs| configs.configs.push(0),
        |configs| configs.configs.truncate(100),
        |configs| configs.configs[2] ^= 1,
        |configs| configs.configs.extend([0, 0]),
        |configs| {
            let length = configs.configs.len();
            configs.configs[length - 5] = 3;
        },
    ];
    for change in changes {
        assert_eq!(with(change), Err(KeyConfigError::Malformed));
    }
    let oversized = SignedKeyConfigs::from_bytes(vec![0; MAX_SIGNED_KEY_CONFIGS + 1]);
    let identity = IdentitySecret::generate().public();
    let result = oversized.verify(&identity, &MANIFEST, NOW);
    assert_eq!(result, Err(KeyConfigError::Malformed));
}

/// A list with one field of its map changed, absent or added.
fn reencoded(change: impl FnOnce(&mut Vec<(Value, Value)>)) -> Result<KeyConfigs, KeyConfigError> {
    let node = Node::new();
    let identity = node.identity.public();
    let bytes = node.keys();
    let payload = cose::open(
        CONTENT_TYPE,
        bytes.as_bytes(),
        MAX_SIGNED_KEY_CONFIGS,
        &identity,
    );
    let map = cbor::decode(&payload.unwrap(), MAX_SIGNED_KEY_CONFIGS).unwrap();
    let mut map = map.into_map().unwrap();
    change(&mut map);
    let payload = cbor::encode(&Value::Map(map));
    let signed = cose::sign(CONTENT_TYPE, payload, &node.identity);
    SignedKeyConfigs::from_bytes(signed).verify(&identity, &MANIFEST, NOW)
}

/// R5.1.
#[test]
fn every_field_is_needed_and_none_is_unknown() {
    assert!(reencoded(|_| {}).is_ok());
    for at in 0..10 {
        let absent = reencoded(|map| drop(map.remove(at)));
        assert_eq!(absent, Err(KeyConfigError::Malformed));
        let mistyped = reencoded(|map| map[at].1 = Value::Null);
        assert_eq!(mistyped, Err(KeyConfigError::Malformed));
    }
    let unknown = reencoded(|map| map.push(("x".into(), 1.into())));
    assert_eq!(unknown, Err(KeyConfigError::Malformed));
    let version = |map: &mut Vec<(Value, Value)>| {
        let field = map.iter_mut().find(|(key, _)| key.as_text() == Some("v"));
        field.unwrap().1 = 2.into();
    };
    assert_eq!(reencoded(version), Err(KeyConfigError::Malformed));
}

#[test]
fn a_list_without_a_spoken_suite_is_valid_and_useless() {
    let unknown_kem = [0, 3, 7, 0x12, 0x34];
    let configs = with(|configs| configs.configs = unknown_kem.to_vec()).unwrap();
    assert_eq!(configs.preferred(), Err(KeyConfigError::NoCommonSuite));
    let empty = with(|configs| configs.configs.clear()).unwrap();
    assert_eq!(empty.preferred(), Err(KeyConfigError::NoCommonSuite));
}

/// R5.2.
#[test]
fn unknown_kems_and_suites_are_passed_over() {
    let suites = |pairs: &[[u8; 4]]| {
        let mut config = vec![7, 0, 0x20];
        config.extend([1; 32]);
        config.extend((pairs.len() as u16 * 4).to_be_bytes());
        config.extend(pairs.concat());
        [(config.len() as u16).to_be_bytes().to_vec(), config].concat()
    };
    let chacha = [0, 1, 0, 3];
    let sha512 = [0, 3, 0, 1];
    let list = [
        vec![0, 3, 7, 0x12, 0x34],
        suites(&[chacha]),
        suites(&[chacha, sha512, [0, 1, 0, 2], [0, 1, 0, 1]]),
    ];
    let parsed = ohttp_keys::parse(&list.concat()).unwrap();
    let suite = Suite {
        kem: Kem::X25519,
        aead: crate::crypto::Aead::Aes256Gcm,
    };
    let expected = KeyConfig {
        key_id: 7,
        suite,
        public_key: vec![1; 32],
    };
    assert_eq!(parsed, [expected]);
    assert_eq!(ohttp_keys::parse(&suites(&[])), None);
}

#[test]
fn the_crate_ohttp_reads_our_list() {
    let node = Node::with_x25519_only();
    let theirs = ohttp::KeyConfig::decode_list(&node.configs.configs).unwrap();
    assert_eq!(
        ohttp::KeyConfig::encode_list(&theirs).unwrap(),
        node.configs.configs
    );
}
