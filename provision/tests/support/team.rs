//! A team of three, what it published at two times, and a host that obeys it.

use attestation::UnixTime;
use policy::{Action, Files, HardwareId, Placement, Target, draft::InventoryDraft};
use provision::PolicyKeeper;
use std::collections::BTreeMap;
use tee_sim::Publisher;

use super::{
    NOW,
    host::{DAY, Host, Standing, policy_toml},
};

pub(crate) fn team() -> Publisher {
    Publisher::new(NOW, &policy_toml(1, ""))
}

pub(crate) fn inventory(version: u64) -> InventoryDraft {
    let placement = Placement {
        owner: "us".to_owned(),
        site: "fra1".to_owned(),
        country: "DE".to_owned(),
        valid_from: NOW,
        valid_until: None,
        custody: None,
    };
    InventoryDraft {
        version,
        name: "machines".to_owned(),
        not_before: UnixTime(NOW.0 - DAY),
        expires: NOW.plus(90 * DAY),
        hardware: BTreeMap::from([(HardwareId::SnpChip([0xAB; 64]), placement)]),
    }
}

pub(crate) fn stop(team: &mut Publisher, node: &str) {
    team.order(NOW, Action::Stop, &[Target::Node(node.to_owned())]);
}

/// A team that has published everything there is, twice, and its first and second publication.
pub(crate) fn published_twice() -> (Publisher, Files, Files) {
    let mut team = team();
    team.publish_inventory(&inventory(1));
    stop(&mut team, "one");
    team.stamp(NOW, NOW.plus(DAY));
    let first = team.files();
    team.rotate(2);
    team.publish_policy(&policy_toml(2, ""));
    team.publish_inventory(&inventory(2));
    stop(&mut team, "two");
    team.resign();
    team.stamp(NOW, NOW.plus(2 * DAY));
    let second = team.files();
    (team, first, second)
}

pub(crate) const SECOND: Standing = [2, 2, 2, 2, 2];

/// A host that obeys `files`.
pub(crate) async fn obeying(team: &Publisher, files: &Files) -> (Host, PolicyKeeper) {
    let host = Host::pinning(team);
    host.publish(files);
    let (keeper, _) = host.open().await.unwrap();
    (host, keeper)
}
