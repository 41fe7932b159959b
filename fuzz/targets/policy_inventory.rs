//! An inventory: never a panic, and what is accepted is the same once written and read again.
#![no_main]

use narthex_fuzz::{policies, seeds};
use policy::{Inventory, draft::InventoryDraft};

libfuzzer_sys::fuzz_target!(init: plant(), |data: &[u8]| check(data));

fn check(data: &[u8]) {
    let inventory = match Inventory::from_toml(data) {
        Ok(inventory) => inventory,
        Err(mistakes) => return assert!(!mistakes.is_empty()),
    };
    assert_eq!(*inventory.digest(), attestation::crypto::sha256(data));
    let draft = draft_of(&inventory);
    let again = Inventory::from_toml(draft.to_string().as_bytes());
    assert_eq!(draft_of(&again.expect("a draft parses")), draft);
}

fn draft_of(inventory: &Inventory) -> InventoryDraft {
    let entries = inventory.iter();
    InventoryDraft {
        version: inventory.version(),
        name: inventory.name().to_owned(),
        not_before: inventory.not_before(),
        expires: inventory.expires(),
        hardware: entries
            .map(|(id, placement)| (*id, placement.clone()))
            .collect(),
    }
}

fn plant() {
    let example = policies::example("## The inventory");
    assert!(Inventory::from_toml(&example).is_ok(), "the example parses");
    seeds::plant([example]);
}
