//! The timestamp's document: read from the sample of docs/policy-documents.md, and every mistake in it.

use crate::support::{NOW, busy_team, sample, team};
use policy::{
    Listed, PayloadType, PolicyError, Role, Timestamp, draft::TimestampDraft,
    timestamp::MAX_TIMESTAMP_BYTES,
};

fn timestamp_sample() -> &'static str {
    sample("## The timestamp")
}

/// Code and message of the only mistake of the sample with `from` replaced by `to`.
fn mistake(from: &str, to: &str) -> (&'static str, String) {
    assert!(timestamp_sample().contains(from), "{from}");
    let text = timestamp_sample().replacen(from, to, 1);
    let found = Timestamp::from_toml(text.as_bytes()).unwrap_err();
    assert_eq!(found.len(), 1, "{from} -> {to}: {found:?}");
    (found[0].code(), found[0].to_string())
}

#[test]
fn the_sample_says_what_its_page_says() {
    let timestamp = Timestamp::from_toml(timestamp_sample().as_bytes()).unwrap();
    assert_eq!(timestamp.version, 41);
    assert_eq!(timestamp.expires, timestamp.issued.plus(3600));
    assert_eq!((timestamp.root.version, timestamp.policy.version), (1, 7));
    assert_eq!(timestamp.inventory.unwrap().version, 4);
    assert_eq!(timestamp.orders.unwrap().version, 1);
    assert_eq!(timestamp.policy.digest[..2], [0x2F, 0x1E]);
    let digest = attestation::crypto::sha256(timestamp_sample().as_bytes());
    assert_eq!(timestamp.digest, digest);
}

#[test]
fn inventory_and_orders_may_be_absent_and_root_and_policy_not() {
    let (head, _) = timestamp_sample().split_once("[inventory]").unwrap();
    let timestamp = Timestamp::from_toml(head.as_bytes()).unwrap();
    assert_eq!((timestamp.inventory, timestamp.orders), (None, None));
    let (head, _) = timestamp_sample().split_once("[policy]").unwrap();
    let told = Timestamp::from_toml(head.as_bytes()).unwrap_err();
    assert!(told[0].to_string().contains("`policy` is missing"));
    let (head, _) = timestamp_sample().split_once("[root]").unwrap();
    assert_eq!(Timestamp::from_toml(head.as_bytes()).unwrap_err().len(), 2);
}

#[test]
fn every_mistake_is_told() {
    for (from, to, code) in [
        ("schema = 1", "schema = 0", "schema"),
        ("version = 41\n", "", "missing_field"),
        ("version = 41", "version = 0", "value"),
        ("issued = 2026-07-01T10:00:00Z\n", "", "missing_field"),
        ("expires = 2026-07-01T11:00:00Z\n", "", "missing_field"),
        (
            "expires = 2026-07-01T11:00:00Z",
            "expires = 2026-07-01T10:00:00Z",
            "conflict",
        ),
        ("[policy]\nversion = 7\n", "[policy]\n", "missing_field"),
        (
            "[policy]\nversion = 7\n",
            "[policy]\nversion = 0\n",
            "value",
        ),
        ("digest = \"2f1e2d3c", "digest = \"2f1e2d", "value"),
        ("serial = 1", "serial = 0", "value"),
        ("serial = 1", "serial = 1\nname = \"x\"", "unknown_field"),
        ("schema = 1", "schema = 1\nname = \"x\"", "unknown_field"),
        ("issued = 2026-07-01T10:00:00Z", "issued = 1", "type"),
    ] {
        let (found, message) = mistake(from, to);
        assert_eq!(found, format!("policy.document.{code}"), "{message}");
    }
    let by_hand = timestamp_sample().replacen("version = 1\n", "version = 0\n", 1);
    assert!(
        Timestamp::from_toml(by_hand.as_bytes()).is_ok(),
        "a root of keys has version 0"
    );
    let limit_bytes = MAX_TIMESTAMP_BYTES;
    let told = Timestamp::from_toml(&vec![b' '; limit_bytes + 1]).unwrap_err();
    assert_eq!(told, [PolicyError::TooLarge { limit_bytes }]);
}

#[test]
fn a_draft_names_what_is_in_force() {
    let team = busy_team();
    let in_force = team.in_force(NOW);
    let draft = TimestampDraft::of(&in_force, NOW, NOW.plus(60)).unwrap();
    let read = Timestamp::from_toml(draft.to_string().as_bytes()).unwrap();
    assert_eq!(read.version, in_force.timestamp().unwrap().version + 1);
    assert_eq!(Some(read.root), in_force.listed_root());
    assert_eq!(read.policy, in_force.listed_policy());
    assert_eq!(read.inventory, in_force.listed_inventory());
    assert_eq!(read.orders, in_force.listed_orders());
    let Listed { version, digest } = read.orders.unwrap();
    assert_eq!((version, &digest), (1, in_force.orders().digest()));
    let bare = policy::InForce::from(in_force.policy().clone());
    assert_eq!(TimestampDraft::of(&bare, NOW, NOW.plus(60)), None);
}

#[test]
fn a_timestamp_is_opened_under_its_role() {
    let team = team();
    let root = team.pinned();
    let keys = root.role(Role::Timestamp).unwrap();
    let text = team.next_timestamp(NOW, NOW.plus(60)).to_string();
    let good = team.signed(PayloadType::Timestamp, &text, 1);
    assert_eq!(Timestamp::from_envelope(&good, keys).unwrap().version, 1);
    for (kind, count, code) in [
        (PayloadType::Timestamp, 0, "policy.signature.unsigned"),
        (PayloadType::Order, 1, "policy.signature.payload_type"),
    ] {
        let told = Timestamp::from_envelope(&team.signed(kind, &text, count), keys).unwrap_err();
        assert_eq!(told[0].code(), code);
    }
}
