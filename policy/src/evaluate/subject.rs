//! What is judged.

use super::Surroundings;
use crate::{HardwareId, Placement};
use attestation::{NodeClaims, UnixTime, Verified, nvidia::DeviceClaims};
use std::sync::Arc;

/// One node, the time it is asked about, and the documents beside the policy.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Subject<'a> {
    /// What its evidence says.
    pub(crate) claims: &'a NodeClaims,
    /// When its evidence was verified.
    pub(crate) at: UnixTime,
    /// The time asked about, never before `at`.
    pub(crate) now: UnixTime,
    /// The documents.
    pub(crate) around: Surroundings<'a>,
}

impl<'a> Subject<'a> {
    /// `verified` at `now`. A `now` before the verification counts as the time of the verification: a clock that went back gives no longer
    /// life.
    pub(crate) fn of(
        verified: &'a Verified<NodeClaims>,
        now: UnixTime,
        around: Surroundings<'a>,
    ) -> Self {
        Self::claimed(verified.claims(), verified.at(), now, around)
    }

    /// Claims that were verified at `at`.
    pub(crate) fn claimed(
        claims: &'a NodeClaims,
        at: UnixTime,
        now: UnixTime,
        around: Surroundings<'a>,
    ) -> Self {
        let now = now.max(at);
        Self {
            claims,
            at,
            now,
            around,
        }
    }

    /// The claims of its devices.
    pub(crate) fn devices(&self) -> &'a [DeviceClaims] {
        let machine = self.claims.devices.as_ref();
        machine.map_or(&[], |machine| &machine.devices)
    }

    /// The identifiers of its devices.
    pub(crate) fn device_ids(&self) -> impl Iterator<Item = HardwareId> + use<'a> {
        self.devices().iter().map(HardwareId::of_device)
    }

    /// Where the inventory places `id` now.
    pub(crate) fn placed(&self, id: &HardwareId) -> Option<&'a Placement> {
        self.around.inventory?.placed(id, self.now)
    }

    /// [`Self::placed`], for an admission to keep.
    pub(crate) fn shared_placement(&self, id: &HardwareId) -> Option<Arc<Placement>> {
        self.around.inventory?.shared(id, self.now).cloned()
    }

    /// The identifiers of all its hardware that tells one.
    pub(crate) fn hardware(&self) -> impl Iterator<Item = HardwareId> + use<'a> {
        HardwareId::of_node(self.claims)
    }
}
