//! Which policies open a session.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test fails by panicking"
)]

mod fake;

use attestation::UnixTime;
use fake::{Gateway, open, pem, random, settings};
use policy::{Action, Files, HardwareId, Placement, Target, draft::InventoryDraft};
use session::{Beside, Composition, Session, SessionError, Settings};
use std::collections::BTreeMap;
use tee_sim::{PolicySigner, Publisher};

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

/// A team whose policy admits the gateway's node.
fn team(gateway: &Gateway) -> Publisher {
    let policy = gateway.nodes[0].policy_text().to_toml();
    Publisher::new(fake::now(), &policy)
}

/// A session under the team's root, with all that it has published.
fn follow(
    gateway: &Gateway,
    team: &Publisher,
    residency: Option<&str>,
    remembered: Option<&[u8]>,
) -> Result<Session, SessionError> {
    let Files {
        roots,
        policy,
        inventory,
        orders,
        timestamp,
    } = team.files();
    let pinned = team.roots[0].to_json();
    let settings = Settings {
        beside: Beside {
            roots: roots.as_deref(),
            inventory: inventory.as_deref(),
            orders: orders.as_deref(),
            timestamp: timestamp.as_deref(),
        },
        policy_root: Some(pinned.as_bytes()),
        residency,
        ..settings(policy.as_deref().unwrap(), &[])
    };
    let composition = Composition {
        verifier: gateway.nodes[0].machine.verifier(),
        policy: fake::accepting_custom,
        random,
    };
    Session::open(composition, &settings, remembered)
}

/// The code with which a request ends.
fn asked(gateway: &Gateway, session: &mut Session) -> &'static str {
    let asked = gateway.ask(session, fake::chat(false));
    asked.map_or_else(|error| error.code(), |_| "answered")
}

#[test]
fn documents_count_under_a_root() {
    let gateway = Gateway::new(&["node-1"]);
    let mut team = team(&gateway);
    let mut session = follow(&gateway, &team, None, None).unwrap();
    assert_eq!(asked(&gateway, &mut session), "answered");
    team.rotate(2);
    team.publish_policy(&gateway.nodes[0].policy_text().to_toml());
    let mut session = follow(&gateway, &team, None, None).unwrap();
    assert_eq!(asked(&gateway, &mut session), "answered");
    // Another team's root.
    let pinned = self::team(&gateway).roots.remove(0);
    team.roots = vec![pinned];
    let refused = code(follow(&gateway, &team, None, None));
    assert_eq!(refused, "policy.signature.too_few");
}

#[test]
fn a_root_and_keys_are_one_too_many() {
    let gateway = Gateway::new(&["node-1"]);
    let team = team(&gateway);
    let root = team.roots[0].to_json();
    let policy = team.policy.to_json();
    let key = pem(&team.signers[0].public_key());
    let keys = [key.as_slice()];
    let settings = Settings {
        policy_root: Some(root.as_bytes()),
        ..settings(policy.as_bytes(), &keys)
    };
    let opened = Session::open(Composition::vendor(random), &settings, None);
    assert_eq!(code(opened), "policy.root.two");
    let not_a_root = Settings {
        policy_root: Some(policy.as_bytes()),
        ..self::settings(policy.as_bytes(), &[])
    };
    let opened = Session::open(Composition::vendor(random), &not_a_root, None);
    assert_eq!(code(opened), "policy.signature.payload_type");
}

#[test]
fn stops_are_obeyed_and_not_forgotten() {
    for (target, expected) in [
        (Target::Everything, "policy.stopped.everything"),
        (Target::Node("node-1".to_owned()), "policy.stopped.node"),
        (Target::Node("node-2".to_owned()), "answered"),
    ] {
        let gateway = Gateway::new(&["node-1"]);
        let mut team = team(&gateway);
        team.order(fake::now(), Action::Stop, &[target]);
        let mut session = follow(&gateway, &team, None, None).unwrap();
        assert_eq!(asked(&gateway, &mut session), expected);
        let memory = session.memory().to_text();
        team.orders.clear();
        let forgetful = follow(&gateway, &team, None, Some(memory.as_bytes()));
        assert_ne!(code(forgetful), "opened");
    }
}

#[test]
fn when_the_lease_ends_nothing_is_sent() {
    let gateway = Gateway::new(&["node-1"]);
    let lease = "\n[lease]\nmax_age_seconds = 600\nwhen_absent = \"stop\"\n";
    let policy = gateway.nodes[0].policy_text().to_toml() + lease;
    let now = fake::now();
    let mut team = Publisher::new(now, &policy);
    team.stamp(now, now.plus(600));
    let mut session = follow(&gateway, &team, None, None).unwrap();
    assert_eq!(asked(&gateway, &mut session), "answered");
    gateway.now.set(now.plus(601).0);
    assert_eq!(asked(&gateway, &mut session), "policy.lease");
}

#[test]
fn an_inventory_has_to_agree_with_the_country_demanded() {
    for (country, expected) in [("DE", "answered"), ("FR", "residency.placement")] {
        let gateway = Gateway::new(&["node-1"]);
        let mut team = team(&gateway);
        let chip = gateway.nodes[0].machine.report().chip_id;
        team.publish_inventory(&inventory(chip, country));
        let mut session = follow(&gateway, &team, Some("DE"), None).unwrap();
        assert_eq!(asked(&gateway, &mut session), expected);
        let mut anywhere = follow(&gateway, &team, None, None).unwrap();
        assert_eq!(asked(&gateway, &mut anywhere), "answered");
    }
}

/// An entry that ends ends what was admitted by it, before the next request is sealed.
#[test]
fn a_place_counts_while_its_entry_is_valid() {
    let gateway = Gateway::new(&["node-1"]);
    let mut team = team(&gateway);
    let chip = gateway.nodes[0].machine.report().chip_id;
    team.publish_inventory(&inventory_until(chip, "DE", fake::now().plus(60)));
    let mut session = follow(&gateway, &team, Some("DE"), None).unwrap();
    assert_eq!(asked(&gateway, &mut session), "answered");
    gateway.now.set(fake::now().plus(61).0);
    gateway.calls();
    assert_eq!(asked(&gateway, &mut session), "residency.placement");
    assert_eq!(gateway.calls(), ["offers", "challenge"]);
}

fn inventory(chip: [u8; 64], country: &str) -> InventoryDraft {
    inventory_until(chip, country, fake::now().plus(86_400))
}

fn inventory_until(chip: [u8; 64], country: &str, end: UnixTime) -> InventoryDraft {
    let now = fake::now();
    let day_ago = UnixTime(now.0 - 86_400);
    let placement = Placement {
        owner: "example".to_owned(),
        site: "fra1".to_owned(),
        country: country.to_owned(),
        valid_from: day_ago,
        valid_until: Some(end),
        custody: None,
    };
    InventoryDraft {
        version: 1,
        name: "hardware".to_owned(),
        not_before: day_ago,
        expires: now.plus(86_400),
        hardware: BTreeMap::from([(HardwareId::SnpChip(chip), placement)]),
    }
}

/// A session that seals this cache secret.
fn sharing(gateway: &Gateway, cache_secret: Option<&[u8]>) -> Result<Session, SessionError> {
    let signer = PolicySigner::generate();
    let policy = gateway.nodes[0].policy_text().to_toml();
    let policy = signer.signed_policy(&policy).to_json();
    let key = pem(&signer.public_key());
    let keys = [key.as_slice()];
    let settings = Settings {
        cache_secret,
        ..settings(policy.as_ref(), &keys)
    };
    let composition = Composition {
        verifier: gateway.nodes[0].machine.verifier(),
        policy: fake::accepting_custom,
        random,
    };
    Session::open(composition, &settings, None)
}

#[test]
fn a_cache_secret_is_sealed_beside_the_request() {
    let gateway = Gateway::new(&["node-1"]);
    for secret in [None, Some([0x0c; 32].as_slice())] {
        let mut session = sharing(&gateway, secret).unwrap();
        assert_eq!(asked(&gateway, &mut session), "answered");
        let sealed = gateway.nodes[0].sealed.lock().unwrap();
        let sealed = sealed.as_ref().unwrap().cache_secret.as_ref();
        assert_eq!(sealed.map(|sealed| sealed.as_bytes().as_slice()), secret);
    }
    for length in [0, 31, 33] {
        let refused = sharing(&gateway, Some(&vec![1; length]));
        assert_eq!(code(refused), "seal.cache_secret", "{length}");
    }
}
