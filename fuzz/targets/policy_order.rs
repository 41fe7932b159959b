//! An order: never a panic, and what is accepted is the same once written and read again.
#![no_main]

use narthex_fuzz::{policies, seeds};
use policy::{Order, Target, draft::OrderDraft};

libfuzzer_sys::fuzz_target!(init: plant(), |data: &[u8]| check(data));

fn check(data: &[u8]) {
    let order = match Order::from_toml(data) {
        Ok(order) => order,
        Err(mistakes) => return assert!(!mistakes.is_empty()),
    };
    assert_eq!(*order.digest(), attestation::crypto::sha256(data));
    assert_eq!(order.previous().is_some(), order.serial() > 1);
    for target in order.targets() {
        assert_eq!(Target::parse(&target.to_string()).as_ref(), Some(target));
    }
    let draft = draft_of(&order);
    let again = Order::from_toml(draft.to_string().as_bytes());
    assert_eq!(draft_of(&again.expect("a draft parses")), draft);
}

fn draft_of(order: &Order) -> OrderDraft {
    OrderDraft {
        serial: order.serial(),
        previous: order.previous().copied(),
        issued: order.issued(),
        action: order.action(),
        targets: order.targets().to_vec(),
        reason: order.reason().to_owned(),
    }
}

fn plant() {
    let example = policies::example("## Orders");
    assert!(Order::from_toml(&example).is_ok(), "the example parses");
    seeds::plant([example]);
}
