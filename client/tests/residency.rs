//! A country demanded: the node's word, and the inventory's where there is one.

use crate::fake;
use crate::team::{Bench, ask, chat};
use client::Settings;
use policy::{HardwareId, Placement, draft::InventoryDraft};
use std::collections::BTreeMap;

fn demanding(country: &str) -> Settings {
    Settings {
        residency: Some(country.to_owned()),
        ..Settings::default()
    }
}

/// An inventory that places the chip `id` in `country`.
fn inventory(version: u64, id: [u8; 64], country: &str) -> InventoryDraft {
    let now = fake::now();
    let day_ago = attestation::UnixTime(now.0 - 86_400);
    let placement = Placement {
        owner: "example".to_owned(),
        site: "fra1".to_owned(),
        country: country.to_owned(),
        valid_from: day_ago,
        valid_until: None,
        custody: None,
    };
    InventoryDraft {
        version,
        name: "hardware".to_owned(),
        not_before: day_ago,
        expires: now.plus(86_400),
        hardware: BTreeMap::from([(HardwareId::SnpChip(id), placement)]),
    }
}

async fn bench_placed_in(country: &str) -> Bench {
    let mut bench = Bench::of(&["node-a"]).await;
    let chip = bench.gateway.nodes[0].machine.report().chip_id;
    let inventory = inventory(1, chip, country);
    bench.publisher.publish_inventory(&inventory);
    bench.publish();
    bench
}

#[tokio::test]
async fn the_inventory_agrees() {
    let bench = bench_placed_in("DE").await;
    let client = bench.connect(demanding("DE")).await.unwrap();
    let exchange = client.send(&chat()).await.unwrap();
    let placement = exchange.node().admitted().placement().unwrap();
    assert_eq!((&*placement.country, &*placement.site), ("DE", "fra1"));
    assert_eq!(bench.seen.count("Info policy.placement DE, site fra1"), 1);
}

#[tokio::test]
async fn the_inventory_places_the_node_elsewhere() {
    let bench = bench_placed_in("FR").await;
    let error = bench.connect(demanding("DE")).await.err().unwrap();
    assert_eq!(error.code(), "residency.placement");
    assert!(error.to_string().contains("in FR, not in DE"), "{error}");
    assert_eq!(bench.seen.count("Fail residency.placement"), 1);
    assert_eq!(bench.gateway.calls("relay"), 0);
    // Who demands no country is not concerned.
    let client = bench.connect(Settings::default()).await.unwrap();
    ask(&client).await.unwrap();
}

#[tokio::test]
async fn the_inventory_does_not_list_the_node() {
    let mut bench = Bench::of(&["node-a"]).await;
    let inventory = inventory(1, [9; 64], "DE");
    bench.publisher.publish_inventory(&inventory);
    bench.publish();
    let error = bench.connect(demanding("DE")).await.err().unwrap();
    assert_eq!(error.code(), "residency.placement");
    assert!(error.to_string().contains("nowhere"), "{error}");
}

#[tokio::test]
async fn without_an_inventory_it_is_the_node_s_word() {
    let bench = Bench::of(&["node-a"]).await;
    let client = bench.connect(demanding("DE")).await.unwrap();
    ask(&client).await.unwrap();
    let sealed = bench.gateway.nodes[0].sealed.lock().unwrap().take();
    assert_eq!(sealed.unwrap().residency.as_deref(), Some("DE"));
}

#[tokio::test]
async fn a_newer_inventory_moves_the_node_away() {
    let mut bench = bench_placed_in("DE").await;
    let client = bench.connect(demanding("DE")).await.unwrap();
    ask(&client).await.unwrap();
    let chip = bench.gateway.nodes[0].machine.report().chip_id;
    let moved = inventory(2, chip, "FR");
    bench.publisher.publish_inventory(&moved);
    bench.publish();
    bench.seen.until("is in force now", 1).await;
    let error = ask(&client).await.unwrap_err();
    assert_eq!(error.code(), "residency.placement");
}
