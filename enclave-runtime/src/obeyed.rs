//! The documents that this runtime obeys: what lists state of them, the policy before them, and what time it is at least.

use crate::{clock::Moment, itself::Itself, receipts::TenantKey};
use attestation::{Digest, UnixTime};
use policy::{InForce, Target, Tenant, TenantRole};
use std::time::Duration;
use tokio::time::Instant;

/// Why nothing at all is served; the codes are the same outside and inside the seal.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Halt {
    /// A stop order in force names this runtime.
    Stopped,
    /// The policy's lease has ended, and it says to stop then.
    LeaseEnded,
    /// The engine answers nothing any more; its own code is for the log.
    EngineFailed(&'static str),
}

/// A policy as key lists, sealed headers and receipts state it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct StatedPolicy {
    pub(crate) version: u64,
    pub(crate) digest: Digest,
    /// Nothing is served under it from then on.
    pub(crate) expires: UnixTime,
}

/// Documents in force. No Debug: a reason in it may be long.
pub(crate) struct Obeyed {
    pub(crate) in_force: InForce,
    before: Option<Before>,
    /// When they were taken; the wall clock here is at least what their signers' was.
    since: Moment,
}

/// The policy that was in force before, which requests under way may still name.
#[derive(Clone, Copy)]
struct Before {
    stated: StatedPolicy,
    until: Instant,
}

impl Halt {
    pub(crate) const fn code(self) -> &'static str {
        match self {
            Self::Stopped => "stopped",
            Self::LeaseEnded => "lease_ended",
            Self::EngineFailed(_) => "engine_failed",
        }
    }

    /// What a reason against serving means for the runtime; the end of the policy's own window is no halt.
    fn of_reason(code: &str) -> Option<Self> {
        let is_lease = code == "policy.lease" || code == "policy.timestamp";
        let is_stop = code.starts_with("policy.stopped.");
        is_stop
            .then_some(Self::Stopped)
            .or(is_lease.then_some(Self::LeaseEnded))
    }
}

impl Obeyed {
    /// The first documents.
    pub(crate) fn first(in_force: InForce, now: Moment) -> Self {
        let wall = now.wall.max(signed_at(&in_force));
        Self {
            in_force,
            before: None,
            since: Moment { wall, ..now },
        }
    }

    /// Later documents; headers that name these ones' policy are honoured for `grace` more (R9.8).
    pub(crate) fn then(&self, in_force: InForce, now: Moment, grace: Duration) -> Self {
        let time = self.time(now);
        let stated = self.stated();
        let next = Self::first(in_force, Moment { wall: time, ..now });
        let before = Before {
            stated,
            until: now.monotonic + grace,
        };
        let is_another = next.stated() != stated;
        Self {
            before: if is_another {
                Some(before)
            } else {
                self.before
            },
            ..next
        }
    }

    /// What lists state.
    pub(crate) fn stated(&self) -> StatedPolicy {
        let policy = self.in_force.policy();
        StatedPolicy {
            version: policy.version(),
            digest: *policy.digest(),
            expires: policy.expires(),
        }
    }

    /// The policy that a request sealed under `version` and `digest` is answered under: this one, or the one before within its grace.
    // R9.8
    pub(crate) fn named(&self, version: u64, digest: &Digest, now: Moment) -> StatedPolicy {
        let in_grace = self.before.filter(|before| now.monotonic < before.until);
        let before = in_grace.map(|before| before.stated);
        let names = |stated: &StatedPolicy| stated.version == version && stated.digest == *digest;
        before.filter(names).unwrap_or_else(|| self.stated())
    }

    /// What time it is at least: the wall clock, which the host sets, never runs behind the documents' signers, nor slower than the monotonic
    /// clock since they were taken (R9.10).
    pub(crate) fn time(&self, now: Moment) -> UnixTime {
        let passed = now
            .monotonic
            .saturating_duration_since(self.since.monotonic);
        now.wall.max(self.since.wall.plus(passed.as_secs()))
    }

    /// Why `itself` may not serve at all.
    // R9.9, R9.10
    pub(crate) fn halt(&self, itself: &Itself, now: Moment) -> Option<Halt> {
        let time = self.time(now);
        if itself.stopped(&self.in_force).is_some() {
            return Some(Halt::Stopped);
        }
        let reasons = self.in_force.judge_standing(time);
        let halts = reasons
            .iter()
            .filter_map(|reason| Halt::of_reason(reason.code));
        halts.min_by_key(|halt| *halt != Halt::Stopped)
    }

    /// Whether the policy's life is over.
    // R9.7
    pub(crate) fn has_expired(&self, now: Moment) -> bool {
        self.time(now) >= self.in_force.policy().expires()
    }

    /// Whether the tenant with `key` has one of `roles` now; `None`: whoever names no tenant.
    pub(crate) fn serves(
        &self,
        key: Option<&TenantKey>,
        roles: &[TenantRole],
        now: Moment,
    ) -> bool {
        let Some(tenants) = self.in_force.policy().tenants() else {
            return true;
        };
        let time = self.time(now);
        let may = |tenant: &Tenant| roles.iter().any(|role| tenant.may(*role, time));
        key.is_some_and(|key| {
            tenants
                .iter()
                .any(|tenant| tenant.key == *key && may(tenant))
        })
    }

    /// Whether an order stops the tenant with `key`.
    // R9.11
    pub(crate) fn stops(&self, key: Option<&TenantKey>) -> bool {
        let orders = self.in_force.orders();
        key.is_some_and(|key| orders.stopped(&Target::Tenant(*key)).is_some())
    }

    // R9.12
    /// The country of `itself`: the inventory's word where there is one, else the operator's; none where they differ.
    pub(crate) fn country(
        &self,
        itself: &Itself,
        configured: Option<&str>,
        now: Moment,
    ) -> Option<String> {
        let Some(inventory) = self.in_force.inventory() else {
            return configured.map(ToOwned::to_owned);
        };
        let placed = itself.placement(inventory, self.time(now))?;
        let differs = configured.is_some_and(|country| country != placed.country);
        (!differs).then(|| placed.country.clone())
    }
}

/// The latest time that the documents prove to have come. Orders tell no time: whoever may only stop could end every document with one.
fn signed_at(in_force: &InForce) -> UnixTime {
    let timestamp = in_force.timestamp();
    timestamp.map_or(UnixTime(0), |timestamp| timestamp.issued)
}
