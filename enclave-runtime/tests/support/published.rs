//! What a security team publishes to a runtime of these tests.

use super::{NOW, Stack, VENDOR, engine::ScriptedEngine, policy_text};
use attestation::UnixTime;
use policy::{Action, HardwareId, Placement, Target, draft::InventoryDraft};
use tee_sim::{Machine, Publisher};

/// A team that has published the policy of these tests, with `more` behind it.
pub fn publisher(more: &str) -> Publisher {
    Publisher::new(UnixTime(NOW.0 - 10), &(policy_text().to_toml() + more))
}

impl Stack {
    /// A runtime that obeys what `team` has published.
    pub async fn obeying(team: &Publisher, engine: ScriptedEngine) -> Self {
        Self::under(team.in_force(NOW), engine).await
    }

    /// Has the runtime look at what `team` has published by now; it must obey.
    pub fn look(&self, team: &Publisher) {
        self.obedience.obey(team.in_force(self.now())).unwrap();
    }

    /// From now on the client of these tests judges by what `team` has published by now.
    pub fn client_looks(&mut self, team: &Publisher) {
        let in_force = team.in_force(self.now());
        let in_force = in_force.map_policy(policy::danger::accept_custom_anchors);
        self.appraiser = self.appraiser.under(in_force);
    }

    /// Has `team` stop `targets`, and the runtime obey.
    pub fn stop(&self, team: &mut Publisher, targets: &[Target]) {
        team.order(self.now(), Action::Stop, targets);
        self.look(team);
    }

    /// Has `team` let `targets` start, and the runtime obey.
    pub fn start_again(&self, team: &mut Publisher, targets: &[Target]) {
        team.order(self.now(), Action::Start, targets);
        self.look(team);
    }
}

/// CHIP_ID of the machine of these tests.
pub fn chip() -> HardwareId {
    HardwareId::SnpChip(Machine::new(&VENDOR).report().chip_id)
}

/// MEASUREMENT of the guest of these tests.
pub fn measurement() -> [u8; 48] {
    Machine::new(&VENDOR).report().measurement
}

/// Version `version` of an inventory with these entries.
pub fn inventory<const N: usize>(
    version: u64,
    entries: [(HardwareId, Placement); N],
) -> InventoryDraft {
    InventoryDraft {
        version,
        name: "machines".to_owned(),
        not_before: UnixTime(0),
        expires: NOW.plus(1_000_000),
        hardware: entries.into(),
    }
}

/// An entry for hardware at `site` in `country`.
pub fn placed(site: &str, country: &str) -> Placement {
    Placement {
        owner: "the hospital".to_owned(),
        site: site.to_owned(),
        country: country.to_owned(),
        valid_from: UnixTime(0),
        valid_until: None,
        custody: None,
    }
}
