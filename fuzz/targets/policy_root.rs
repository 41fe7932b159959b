//! A root document: never a panic, and what is accepted has its roles, its keys and its anchor in order.
#![no_main]

use narthex_fuzz::{policies, seeds};
use policy::{Role, RootDocument, TrustRoot};

libfuzzer_sys::fuzz_target!(init: plant(), |data: &[u8]| check(data));

fn check(data: &[u8]) {
    let root = match RootDocument::from_toml(data) {
        Ok(root) => root,
        Err(mistakes) => return assert!(!mistakes.is_empty()),
    };
    assert_eq!(*root.digest(), attestation::crypto::sha256(data));
    assert_eq!(root.anchor().is_some(), root.version() > 1);
    assert!(root.not_before() < root.expires());
    assert!(root.role(Role::Root).is_some() && root.role(Role::Policy).is_some());
    let threshold = |role| root.role(role).map(TrustRoot::threshold);
    if let Some(start) = threshold(Role::Start) {
        assert!(threshold(Role::Stop).is_some_and(|stop| stop < start));
    }
    let named = |key: &[u8; 32]| root.keys().iter().any(|named| named.key == *key);
    for role in Role::ALL.into_iter().filter_map(|role| root.role(role)) {
        assert!(role.keys().iter().all(named));
    }
}

fn plant() {
    let example = policies::example("## The root");
    assert!(
        RootDocument::from_toml(&example).is_ok(),
        "the example parses"
    );
    seeds::plant([example]);
}
