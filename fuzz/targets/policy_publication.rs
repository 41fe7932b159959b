//! A publication of five files: never a panic, and nothing is in force that the team did not sign.
#![no_main]

use attestation::{UnixTime, snp::Product};
use narthex_fuzz::{joined, parts, seeds};
use policy::{
    Action, Files, HardwareId, InForce, Placement, Publication, Target, draft::InventoryDraft,
};
use std::{collections::BTreeMap, sync::LazyLock};
use tee_sim::{PolicyText, Publisher, Report};

libfuzzer_sys::fuzz_target!(init: plant(), |data: &[u8]| check(data));

/// 2026-06-01T00:00:00Z.
const NOW: UnixTime = UnixTime(1_780_272_000);

static TEAM: LazyLock<Publisher> = LazyLock::new(team);
static GOOD: LazyLock<InForce> = LazyLock::new(|| TEAM.in_force(NOW));

fn check(data: &[u8]) {
    let Some(files) = parts(data).map(files) else {
        return;
    };
    let publication = match Publication::parse(&files) {
        Ok(publication) => publication,
        Err(errors) => return assert!(!errors.is_empty()),
    };
    match publication.verify(&TEAM.pinned(), NOW) {
        Ok(in_force) => assert_signed(&in_force),
        Err(errors) => assert!(!errors.is_empty()),
    }
}

/// Documents may have been left out, or a rotation and orders cut off; no other ones are there.
fn assert_signed(in_force: &InForce) {
    assert_eq!(in_force.listed_policy(), GOOD.listed_policy());
    let inventory = in_force.listed_inventory();
    assert!(inventory.is_none() || inventory == GOOD.listed_inventory());
    let root = in_force.listed_root();
    assert!(root == GOOD.listed_root() || root.is_some_and(|root| root.version == 1));
    let orders = in_force.orders();
    for serial in 1..=orders.serial() {
        assert_eq!(orders.digest_of(serial), GOOD.orders().digest_of(serial));
    }
}

/// An empty part is no file.
fn files([roots, policy, inventory, orders, timestamp]: [&[u8]; 5]) -> Files {
    let file = |bytes: &[u8]| (!bytes.is_empty()).then(|| bytes.to_vec());
    Files {
        roots: file(roots),
        policy: file(policy),
        inventory: file(inventory),
        orders: file(orders),
        timestamp: file(timestamp),
    }
}

fn team() -> Publisher {
    let report = Report::of(Product::Genoa);
    let policy = PolicyText::admitting(&report, UnixTime(NOW.0 - 1000), NOW.plus(100_000));
    let mut team = Publisher::new(NOW, &policy.to_toml());
    team.publish_inventory(&inventory());
    let node = Target::Node("n1".to_owned());
    team.order(NOW, Action::Stop, &[Target::Everything, node]);
    team.order(NOW, Action::Start, &[Target::Everything]);
    team.rotate(2);
    team.stamp(NOW, NOW.plus(3600));
    team
}

fn inventory() -> InventoryDraft {
    let placement = Placement {
        owner: "owner".to_owned(),
        site: "site".to_owned(),
        country: "DE".to_owned(),
        valid_from: NOW,
        valid_until: None,
        custody: None,
    };
    InventoryDraft {
        version: 1,
        name: "hardware".to_owned(),
        not_before: NOW,
        expires: NOW.plus(100_000),
        hardware: BTreeMap::from([(HardwareId::NvidiaDevice([1; 8]), placement)]),
    }
}

fn plant() {
    let files = TEAM.files();
    let whole = Files::NAMES.map(|name| files.get(name).unwrap_or_default());
    assert!(
        Publication::parse(&files).is_ok_and(|files| files.verify(&TEAM.pinned(), NOW).is_ok())
    );
    let mut alone = [&[][..]; 5];
    alone[1] = whole[1];
    seeds::plant([joined(&whole), joined(&alone)]);
}
