//! Which policies open a session.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test fails by panicking"
)]

mod fake;

use fake::{Gateway, open, pem, random, settings};
use session::{Composition, Session, SessionError, Settings};
use tee_sim::PolicySigner;

fn code(opened: Result<Session, SessionError>) -> &'static str {
    opened.map_or_else(|error| error.code(), |_| "opened")
}

#[test]
fn a_policy_counts_with_its_signatures_only() {
    let gateway = Gateway::new(&["node-1"]);
    let node = &gateway.nodes[0];
    let [alice, bob] = [PolicySigner::generate(), PolicySigner::generate()];
    let [a, b] = [alice.public_key(), bob.public_key()].map(|key| pem(&key));
    let mut envelope = node.signed_policy(&alice);
    let by_alice = envelope.to_json();
    bob.sign(&mut envelope);
    let by_both = envelope.to_json();
    let (one, both) = (by_alice.as_ref(), by_both.as_ref());
    assert_eq!(code(open(node, one, &[&a], None)), "opened");
    assert_eq!(code(open(node, both, &[&b, &a], None)), "opened");
    for keys in [[&a[..], &b].as_slice(), &[&b], &[], &[&a, &a], &[&b"x"[..]]] {
        assert_ne!(code(open(node, one, keys, None)), "opened");
    }
    let keys: [&[u8]; 2] = [&a, &b];
    let threshold = |threshold, policy| {
        let settings = Settings {
            threshold: Some(threshold),
            ..settings(policy, &keys)
        };
        code(Session::open(Composition::vendor(random), &settings, None))
    };
    assert_eq!(threshold(1, one), "opened");
    for (count, policy) in [(2, one), (0, both), (3, both), (1, b"{}".as_slice())] {
        assert_ne!(threshold(count, policy), "opened", "{count}");
    }
    let broken = [Some("XX"), Some("de"), Some("")].map(|residency| {
        let settings = Settings {
            residency,
            ..settings(both, &keys)
        };
        code(Session::open(Composition::vendor(random), &settings, None))
    });
    assert_eq!(broken, ["opened", "client.residency", "client.residency"]);
    assert_eq!(
        code(open(node, both, &[b"x".as_slice()], None)),
        "policy.key"
    );
}

#[test]
fn what_ships_refuses_invented_vendors() {
    let gateway = Gateway::new(&["node-1"]);
    let signer = PolicySigner::generate();
    let policy = gateway.nodes[0].signed_policy(&signer).to_json();
    let key = pem(&signer.public_key());
    let keys = [key.as_slice()];
    let settings = settings(policy.as_ref(), &keys);
    let mut session = Session::open(Composition::vendor(random), &settings, None).unwrap();
    let error = gateway.ask(&mut session, fake::chat(false)).unwrap_err();
    assert!(error.code().starts_with("snp."), "{}", error.code());
    assert_eq!(gateway.calls(), ["offers", "challenge"]);
}

#[test]
fn without_randomness_nothing_begins() {
    let gateway = Gateway::new(&["node-1"]);
    let signer = PolicySigner::generate();
    let policy = gateway.nodes[0].signed_policy(&signer).to_json();
    let key = pem(&signer.public_key());
    let keys = [key.as_slice()];
    let settings = settings(policy.as_ref(), &keys);
    let session = Session::open(Composition::vendor(|_| false), &settings, None).unwrap();
    let error = session.start(fake::chat(false)).err().unwrap();
    assert_eq!(error.code(), "client.random");
}

#[test]
fn an_older_policy_is_refused_after_a_restart() {
    let gateway = Gateway::new(&["node-1"]);
    let node = &gateway.nodes[0];
    let signer = PolicySigner::generate();
    let key = pem(&signer.public_key());
    let policy = |version| {
        let mut text = node.policy_text();
        text.version = version;
        signer.signed_policy(&text.to_toml()).to_json()
    };
    let mut newer = open(node, policy(2).as_ref(), &[&key], None).unwrap();
    let memory = newer.memory().to_text();
    let memory = Some(memory.as_bytes());
    assert_eq!(
        code(open(node, policy(2).as_ref(), &[&key], memory)),
        "opened"
    );
    assert_eq!(
        code(open(node, policy(1).as_ref(), &[&key], memory)),
        "policy.rollback"
    );
    let other = Some(b"{}".as_slice());
    assert_eq!(
        code(open(node, policy(2).as_ref(), &[&key], other)),
        "memory.corrupt"
    );
}
