//! What is in force here: what nodes are judged by, and the files that say so. It is exchanged as a whole.

use crate::{NodeName, problem::Problem, published::Published};
use attestation::UnixTime;
use policy::{Appraiser, Denial, InForce, Reason, Target, publication::Files};

/// Reasons with these codes are about every node; the admissions say so too.
const WINDOW: [&str; 2] = ["policy.not_before", "policy.expired"];
const STOPPED: &str = "policy.stopped.";
const EVERYTHING: &str = "policy.stopped.everything";
pub(crate) const LEASE: &str = "policy.lease";

/// Documents, and who judges by them.
pub(crate) struct Standing {
    pub(crate) appraiser: Appraiser,
    pub(crate) published: Published,
}

impl Standing {
    /// Documents without files to hand out.
    pub(crate) fn unpublished(appraiser: Appraiser) -> Self {
        Self {
            appraiser,
            published: Published::default(),
        }
    }

    /// The same verifier under other documents.
    pub(crate) fn under(&self, in_force: InForce, files: &Files) -> Self {
        Self {
            appraiser: self.appraiser.under(in_force),
            published: Published::of(files),
        }
    }

    pub(crate) const fn in_force(&self) -> &InForce {
        self.appraiser.in_force()
    }

    /// Whether anything may be served at `now`. Looked at for every request: nothing is allocated while nothing is refused.
    // R8.6
    pub(crate) fn check(&self, now: UnixTime) -> Result<(), Problem> {
        let reasons = self.in_force().judge_standing(now);
        let problems = reasons.iter().filter_map(|reason| self.problem(reason));
        // The order is told last, and goes before the lease: it is somebody's word.
        problems.last().map_or(Ok(()), Err)
    }

    fn problem(&self, reason: &Reason) -> Option<Problem> {
        match reason.code {
            code if WINDOW.contains(&code) => None,
            EVERYTHING => Some(self.stopped(&Target::Everything)),
            // What is refused without being known here is refused too.
            _ => Some(Problem::LeaseEnded),
        }
    }

    /// Whether the policy asks for a timestamp of these days and there is none, whatever follows from it.
    pub(crate) fn lease_is_over(&self, now: UnixTime) -> bool {
        let lease = self.in_force().policy().lease();
        lease.is_some_and(|lease| !lease.is_current(self.in_force().timestamp(), now))
    }

    /// Why the node may not be used, whatever its evidence says.
    pub(crate) fn judge_name(&self, node: &NodeName) -> Result<(), Denial> {
        let reason = self.in_force().judge_name(node.as_str());
        reason.map_or(Ok(()), |reason| {
            Err(Denial {
                policy_version: self.in_force().policy().version(),
                reasons: vec![reason],
            })
        })
    }

    /// What a peer is told of a node that is refused with `code`.
    pub(crate) fn node_problem(&self, node: &NodeName, code: &str) -> Problem {
        match code {
            LEASE => Problem::LeaseEnded,
            code if code.starts_with(STOPPED) => {
                self.stopped(&Target::Node(node.as_str().to_owned()))
            }
            _ => Problem::NodeNotAdmitted,
        }
    }

    /// With the serial of the order, where it names the target itself.
    fn stopped(&self, target: &Target) -> Problem {
        let order = self.in_force().orders().stopped(target);
        Problem::Stopped(order.map(|order| order.serial))
    }
}
