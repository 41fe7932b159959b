//! The team whose documents a gateway obeys.

use super::{NOW, POLICY_SECONDS, Stack, VENDOR, accept_custom_anchors, node::FakeNode};
use attestation::UnixTime;
use policy::{Appraiser, InForce};
use tee_sim::{Machine, PolicyText, Publisher, policy_text::demo_policy};

/// Version 1 of a policy that admits machines like `machine`.
pub fn admitting(machine: &Machine) -> PolicyText {
    demo_policy(machine, NOW, NOW.plus(POLICY_SECONDS))
}

/// The same machine under another policy's version.
pub fn version(machine: &Machine, version: u64) -> PolicyText {
    PolicyText {
        version,
        ..admitting(machine)
    }
}

/// A policy that denies every machine there is.
pub fn denying(machine: &Machine, version: u64) -> PolicyText {
    PolicyText {
        version,
        measurement: [9; 48],
        ..admitting(machine)
    }
}

/// A team that has published version 1 of a policy for `machine`.
pub fn team(machine: &Machine) -> Publisher {
    Publisher::new(NOW, &admitting(machine).to_toml())
}

/// What a gateway that pins the team's first root has in force; the invented vendor counts.
pub fn in_force(team: &Publisher, now: UnixTime) -> InForce {
    team.in_force(now).map_policy(accept_custom_anchors)
}

impl Stack {
    /// A gateway under the team's documents in front of `nodes`, each appraised once.
    pub async fn under(team: &Publisher, nodes: &[&FakeNode], settings: &str) -> Self {
        let appraiser = Appraiser::new(VENDOR.verifier(), in_force(team, NOW));
        let stack = Self::judged_by(appraiser, nodes, settings).await;
        stack.obey(team);
        stack
    }

    /// Whatever the team has published by now comes into force.
    pub fn obey(&self, team: &Publisher) {
        let in_force = in_force(team, gateway::Clock::now(&*self.clock));
        self.gateway.obey(in_force, &team.files());
    }

    /// A line of the metrics, without its value; `None` where there is no such line.
    pub async fn metric(&self, line: &str) -> Option<String> {
        let metrics = String::from_utf8(self.admin("/metrics").await.body.to_vec()).unwrap();
        let mut values = metrics
            .lines()
            .filter_map(|found| found.strip_prefix(line)?.strip_prefix(' '));
        values.next().map(str::to_owned)
    }
}
