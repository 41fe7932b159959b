//! The inventory: read from the sample of docs/policy-documents.md, every mistake in it, and what is placed when.

use crate::support::{CHIP, NOW, inventory, sample, team};
use attestation::UnixTime;
use policy::{
    HardwareId, Inventory, PayloadType, Placement, PolicyError, Publication, Root,
    inventory::MAX_INVENTORY_BYTES,
};

fn inventory_sample() -> &'static str {
    sample("## The inventory")
}

fn read(text: &str) -> Result<Inventory, Vec<PolicyError>> {
    Inventory::from_toml(text.as_bytes())
}

/// Code and message of the only mistake of the sample with `from` replaced by `to`.
fn mistake(from: &str, to: &str) -> (&'static str, String) {
    assert!(inventory_sample().contains(from), "{from}");
    let found = read(&inventory_sample().replacen(from, to, 1)).unwrap_err();
    assert_eq!(found.len(), 1, "{from} -> {to}: {found:?}");
    (found[0].code(), found[0].to_string())
}

#[test]
fn the_sample_says_what_its_page_says() {
    let inventory = read(inventory_sample()).unwrap();
    assert_eq!((inventory.version(), inventory.len()), (4, 3));
    assert_eq!(inventory.name(), "hardware of the hospital");
    assert_eq!(
        *inventory.digest(),
        attestation::crypto::sha256(inventory_sample().as_bytes())
    );
    let package = HardwareId::parse("tdx:00112233445566778899aabbccddeeff").unwrap();
    let found = inventory.find(&package).unwrap();
    assert_eq!(
        (found.country.as_str(), found.site.as_str()),
        ("CH", "zrh2")
    );
    assert_eq!(found.custody, None);
    let custody = inventory
        .iter()
        .filter_map(|(_, placement)| placement.custody.as_deref());
    assert_eq!(custody.collect::<Vec<_>>(), ["handover protocol 2026-017"]);
}

#[test]
fn every_required_field_is_required() {
    for (field, told) in [
        ("version = 4\n", "`version`"),
        ("name = \"hardware of the hospital\"\n", "`name`"),
        ("not_before = 2026-06-01T00:00:00Z\n", "`not_before`"),
        ("expires = 2026-12-01T00:00:00Z\n", "`expires`"),
        ("owner = \"City Hospital\"\n", "`hardware[0].owner`"),
        ("site = \"zrh2\"\n", "`hardware[1].site`"),
        ("country = \"CH\"\n", "`hardware[1].country`"),
        (
            "valid_from = 2026-06-01T00:00:00Z\n",
            "`hardware[0].valid_from`",
        ),
        ("id = \"nvidia:2f3b8c4d5e6f7081\"\n", "`hardware[2].id`"),
    ] {
        let (code, message) = mistake(field, "");
        assert_eq!(code, "policy.document.missing_field");
        assert!(message.contains(told), "{message}");
    }
}

#[test]
fn every_other_mistake_is_told() {
    for (from, to, code) in [
        ("schema = 1", "schema = 2", "schema"),
        ("version = 4", "version = -1", "value"),
        ("expires = 2026-12", "expires = 2026-05", "conflict"),
        ("valid_until = 2026-09", "valid_until = 2026-06", "conflict"),
        (
            "valid_until = 2026-09-01T00:00:00Z",
            "valid_until = \"x\"",
            "type",
        ),
        (
            "custody = \"handover protocol 2026-017\"",
            "custody = \"\"",
            "value",
        ),
        (
            "site = \"zrh2\"",
            "site = \"zrh2\"\nrack = 1",
            "unknown_field",
        ),
        ("schema = 1", "schema = 1\nowner = \"x\"", "unknown_field"),
        ("country = \"CH\"", "country = \"ch\"", "value"),
        ("country = \"CH\"", "country = \"CHE\"", "value"),
        ("country = \"CH\"", "country = \"Ü\"", "value"),
        (
            "nvidia:2f3b8c4d5e6f7081",
            "nvidia:0000000000000000",
            "value",
        ),
        ("nvidia:2f3b8c4d5e6f7081", "nvidia:2f3b8c4d5e6f70", "value"),
        (
            "nvidia:2f3b8c4d5e6f7081",
            "nvidia:2f3b8c4d5e6f708100",
            "value",
        ),
        ("nvidia:2f3b8c4d5e6f7081", "gpu:2f3b8c4d5e6f7081", "value"),
        (
            "nvidia:2f3b8c4d5e6f7081",
            "tdx:00112233445566778899AABBCCDDEEFF",
            "duplicate",
        ),
    ] {
        let (found, message) = mistake(from, to);
        assert_eq!(found, format!("policy.document.{code}"), "{message}");
    }
    let (head, _) = inventory_sample().split_once("[[hardware]]").unwrap();
    assert_eq!(
        read(head).unwrap_err()[0].code(),
        "policy.document.missing_field"
    );
    let empty = format!("{head}\nhardware = []\n");
    assert_eq!(
        read(&empty).unwrap_err()[0].code(),
        "policy.document.empty_list"
    );
}

#[test]
fn an_entry_counts_within_its_window_and_the_documents() {
    let inventory = read(inventory_sample()).unwrap();
    let at = |text: &str| UnixTime::from_rfc3339(text).unwrap();
    let package = HardwareId::parse("tdx:00112233445566778899aabbccddeeff").unwrap();
    let device = HardwareId::parse("nvidia:2f3b8c4d5e6f7081").unwrap();
    let placed = |id, time| {
        inventory
            .placed(id, at(time))
            .map(|placement| placement.site.as_str())
    };
    assert_eq!(placed(&package, "2026-06-01T00:00:00Z"), Some("zrh2"));
    assert_eq!(placed(&package, "2026-09-01T00:00:00Z"), Some("zrh2"));
    assert_eq!(placed(&package, "2026-09-01T00:00:01Z"), None);
    assert_eq!(placed(&device, "2026-05-31T23:59:59Z"), None);
    assert_eq!(placed(&device, "2026-12-01T00:00:00Z"), Some("fra1"));
    assert_eq!(
        placed(&device, "2026-12-01T00:00:01Z"),
        None,
        "the document has ended"
    );
    assert_eq!(placed(&CHIP, "2026-07-01T00:00:00Z"), None, "unlisted");
}

#[test]
fn an_inventory_is_opened_under_its_role() {
    let team = team();
    let text = inventory(1).to_string();
    let root = team.pinned();
    let keys = root.role(policy::Role::Inventory).unwrap();
    let opened = |envelope: &policy::Envelope| Inventory::from_envelope(envelope, keys);
    let good = team.signed(PayloadType::Inventory, &text, 2);
    assert_eq!(opened(&good).unwrap().find(&CHIP).unwrap().site, "fra1");
    for (kind, count, code) in [
        (PayloadType::Inventory, 1, "policy.signature.too_few"),
        (PayloadType::Policy, 2, "policy.signature.payload_type"),
    ] {
        let told = opened(&team.signed(kind, &text, count)).unwrap_err();
        assert_eq!(told[0].code(), code);
    }
}

#[test]
fn drafts_are_read_as_they_were_written() {
    let mut draft = inventory(9);
    let awkward = Placement {
        owner: "a \"quoted\" \\ owner, ütf".to_owned(),
        valid_until: Some(NOW.plus(5)),
        custody: None,
        ..draft.hardware[&CHIP].clone()
    };
    draft
        .hardware
        .insert(HardwareId::NvidiaDevice([1; 8]), awkward);
    draft.hardware.insert(
        HardwareId::TdxPackage([2; 16]),
        draft.hardware[&CHIP].clone(),
    );
    let read = read(&draft.to_string()).unwrap();
    assert_eq!(read.version(), 9);
    let entries = read.iter().map(|(id, placement)| (*id, placement.clone()));
    assert_eq!(
        entries.collect::<std::collections::BTreeMap<_, _>>(),
        draft.hardware
    );
}

#[test]
fn tens_of_thousands_of_entries_fit_and_more_than_the_cap_does_not() {
    let mut draft = inventory(1);
    let placement = draft.hardware[&CHIP].clone();
    for number in 1..=20_000_u64 {
        let mut id = [0; 64];
        id[..8].copy_from_slice(&number.to_be_bytes());
        draft
            .hardware
            .insert(HardwareId::SnpChip(id), placement.clone());
    }
    let text = draft.to_string();
    assert!(text.len() > 4 * 1024 * 1024);
    let mut team = team();
    team.publish_inventory(&draft);
    let files = team.files();
    let publication = Publication::parse(&files).unwrap();
    let in_force = publication.verify(&team.pinned(), NOW).unwrap();
    assert_eq!(in_force.inventory().unwrap().len(), 20_001);

    let limit_bytes = MAX_INVENTORY_BYTES;
    let large = vec![b' '; MAX_INVENTORY_BYTES + 1];
    let told = Inventory::from_toml(&large).unwrap_err();
    assert_eq!(told, [PolicyError::TooLarge { limit_bytes }]);
}

#[test]
fn mistakes_far_down_are_told_with_their_lines() {
    let mut draft = inventory(1);
    let placement = draft.hardware[&CHIP].clone();
    for number in 1..=5_000_u64 {
        draft.hardware.insert(
            HardwareId::NvidiaDevice(number.to_be_bytes()),
            placement.clone(),
        );
    }
    let text = draft
        .to_string()
        .replace("country = \"DE\"", "country = \"de\"");
    let told = read(&text).unwrap_err();
    assert_eq!(told.len(), 100);
    let lines: Vec<_> = text.lines().collect();
    for mistake in told {
        let at = mistake.position().unwrap();
        assert_eq!(lines[at.line - 1], "country = \"de\"");
        assert_eq!(at.column, 11);
    }
}

#[test]
fn keys_given_by_hand_sign_inventories() {
    let mut team = team();
    team.publish_inventory(&inventory(1));
    let keys = team.signers.iter().map(tee_sim::PolicySigner::public_key);
    let keys = policy::TrustRoot::new(keys.collect(), 2).unwrap();
    let publication = Publication::parse(&team.files()).unwrap();
    assert!(publication.verify(&Root::of_keys(keys), NOW).is_ok());
}
