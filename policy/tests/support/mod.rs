//! A team of three with a policy, for the tests of what it publishes.
#![allow(dead_code, clippy::unwrap_used, reason = "each test uses a part of it")]

use attestation::{UnixTime, snp::Product};
use policy::{
    Files, HardwareId, InForce, Placement, Publication, PublicationError, draft::InventoryDraft,
};
use std::collections::BTreeMap;
use tee_sim::{PolicyText, Publisher, Report};

/// 2026-06-01T00:00:00Z.
pub(crate) const NOW: UnixTime = UnixTime(1_780_272_000);

/// The policy with this version, valid around [`NOW`].
pub(crate) fn policy_text(version: u64) -> String {
    let report = Report::of(Product::Genoa);
    let mut text = PolicyText::admitting(&report, UnixTime(NOW.0 - 1000), NOW.plus(100_000));
    text.version = version;
    text.to_toml()
}

/// A team whose policy is version 1.
pub(crate) fn team() -> Publisher {
    Publisher::new(NOW, &policy_text(1))
}

/// A team that has published one of each: policy, inventory, a stop and a timestamp.
pub(crate) fn busy_team() -> Publisher {
    let mut team = team();
    team.publish_inventory(&inventory(1));
    team.order(
        NOW,
        policy::Action::Stop,
        &[policy::Target::Node("n1".to_owned())],
    );
    team.stamp(NOW, NOW.plus(3600));
    team
}

pub(crate) const CHIP: HardwareId = HardwareId::SnpChip([7; 64]);

/// One chip in Frankfurt.
pub(crate) fn inventory(version: u64) -> InventoryDraft {
    let placement = Placement {
        owner: "hospital".to_owned(),
        site: "fra1".to_owned(),
        country: "DE".to_owned(),
        valid_from: UnixTime(NOW.0 - 1000),
        valid_until: None,
        custody: Some("protocol 17".to_owned()),
    };
    InventoryDraft {
        version,
        name: "hardware".to_owned(),
        not_before: UnixTime(NOW.0 - 1000),
        expires: NOW.plus(100_000),
        hardware: BTreeMap::from([(CHIP, placement)]),
    }
}

/// What a host that pins the team's first root says to `files`.
pub(crate) fn verified(team: &Publisher, files: &Files) -> Result<InForce, Vec<PublicationError>> {
    Publication::parse(files)?.verify(&team.pinned(), NOW)
}

/// File, entry and code of everything that is wrong.
pub(crate) fn wrong<T: std::fmt::Debug>(
    result: Result<T, Vec<PublicationError>>,
) -> Vec<(&'static str, Option<usize>, &'static str)> {
    let told = |error: PublicationError| (error.file, error.entry, error.code());
    result.unwrap_err().into_iter().map(told).collect()
}

/// The first example of a section of docs/policy-documents.md.
pub(crate) fn sample(section: &str) -> &'static str {
    let page = include_str!("../../../docs/policy-documents.md");
    let (_, after) = page.split_once(section).unwrap();
    let (_, after) = after.split_once("```toml\n").unwrap();
    after.split_once("```").unwrap().0
}
