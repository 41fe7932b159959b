//! A timestamp: never a panic, and what is accepted is the same once written and read again.
#![no_main]

use narthex_fuzz::{policies, seeds};
use policy::{Timestamp, draft::TimestampDraft};

libfuzzer_sys::fuzz_target!(init: plant(), |data: &[u8]| check(data));

fn check(data: &[u8]) {
    let timestamp = match Timestamp::from_toml(data) {
        Ok(timestamp) => timestamp,
        Err(mistakes) => return assert!(!mistakes.is_empty()),
    };
    assert_eq!(timestamp.digest, attestation::crypto::sha256(data));
    assert!(timestamp.issued < timestamp.expires);
    let draft = draft_of(&timestamp);
    let again = Timestamp::from_toml(draft.to_string().as_bytes());
    assert_eq!(draft_of(&again.expect("a draft parses")), draft);
}

fn draft_of(timestamp: &Timestamp) -> TimestampDraft {
    TimestampDraft {
        version: timestamp.version,
        issued: timestamp.issued,
        expires: timestamp.expires,
        root: timestamp.root,
        policy: timestamp.policy,
        inventory: timestamp.inventory,
        orders: timestamp.orders,
    }
}

fn plant() {
    let example = policies::example("## The timestamp");
    assert!(Timestamp::from_toml(&example).is_ok(), "the example parses");
    seeds::plant([example]);
}
