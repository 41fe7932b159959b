//! What judges nodes, while newer documents may replace it: verifier, what is in force, clock, and what the client demands beside its policy.

use crate::{AdmittedNode, ClientError, Clock, Judge, SeenPolicies, Settings};
use attestation::{Cache, Nonce, UnixTime};
use policy::{Admitted, Appraiser, Denial, InForce, Reason};
use protocol::TenantSigner;
use session::Offer;
use std::sync::{Arc, Mutex, PoisonError, RwLock};
use tokio::sync::watch;

/// What ends by the passing of time alone: no reason to break off an answer that began before.
const ENDS_WITH_TIME: [&str; 2] = ["policy.freshness", "policy.collateral"];

/// Changes when answers under way are to be judged again.
pub(crate) type Turns = watch::Receiver<u64>;

/// Judges by what is in force at the time of each question.
pub(crate) struct Judging {
    appraiser: RwLock<Arc<Appraiser>>,
    clock: Arc<dyn Clock>,
    seen: SeenPolicies,
    /// Country that nodes must be in.
    residency: Option<String>,
    /// Key of the tenant that asks.
    tenant: Option<[u8; 32]>,
    /// What earlier appraisals verified.
    verified: Mutex<Cache>,
    /// Rises whenever answers under way are to be judged again.
    turns: watch::Sender<u64>,
}

impl Judging {
    pub(crate) fn new(judge: Judge, settings: &Settings) -> Self {
        Self {
            appraiser: RwLock::new(Arc::new(judge.appraiser)),
            clock: judge.clock,
            seen: judge.seen,
            residency: settings.residency.clone(),
            tenant: settings.tenant.as_ref().map(TenantSigner::key),
            verified: Mutex::default(),
            turns: watch::Sender::new(0),
        }
    }

    pub(crate) fn now(&self) -> UnixTime {
        self.clock.now()
    }

    /// Verifier and documents of now. A panic elsewhere leaves the old ones or the new ones.
    pub(crate) fn appraiser(&self) -> Arc<Appraiser> {
        let current = self.appraiser.read();
        Arc::clone(&current.unwrap_or_else(PoisonError::into_inner))
    }

    /// Judges by `in_force` from now on.
    pub(crate) fn obey(&self, in_force: InForce) {
        let next = Arc::new(self.appraiser().under(in_force));
        *self
            .appraiser
            .write()
            .unwrap_or_else(PoisonError::into_inner) = next;
        self.turn();
    }

    /// Has answers under way judged again.
    pub(crate) fn turn(&self) {
        self.turns.send_modify(|turn| *turn = turn.wrapping_add(1));
    }

    /// Tells when answers under way are to be judged again, from now on.
    pub(crate) fn turns(&self) -> Turns {
        self.turns.subscribe()
    }

    /// Appraises what the offered node answered to `nonce`.
    pub(crate) fn appraise(
        &self,
        offer: &Offer,
        bundle: Vec<u8>,
        nonce: Nonce,
    ) -> Result<AdmittedNode, ClientError> {
        let appraiser = self.appraiser();
        let mut verified = self.verified.lock().unwrap_or_else(PoisonError::into_inner);
        let judge = (&*appraiser, &mut *verified);
        let node = AdmittedNode::admit(offer, (bundle, nonce), judge, self.now())?;
        self.check_place(appraiser.in_force(), node.admitted())?;
        self.remember(&node)?;
        Ok(node)
    }

    /// An admitted node under what is in force now.
    pub(crate) fn judge_again(&self, node: &AdmittedNode) -> Result<AdmittedNode, ClientError> {
        self.check_name(node.name())?;
        let appraiser = self.appraiser();
        let again = node.judged_again(appraiser.in_force(), self.now())?;
        self.check_place(appraiser.in_force(), again.admitted())?;
        Ok(again)
    }

    /// Refuses a runtime whose signed policy version is below the highest seen under its policy root (R5.4).
    pub(crate) fn remember(&self, node: &AdmittedNode) -> Result<(), ClientError> {
        let root = &node.admitted().claims().manifest.policy_root;
        let keys = node.keys();
        let seen = self
            .seen
            .observe(root, keys.policy_version, &keys.policy_digest);
        Ok(seen?)
    }

    /// Whether anything may be sealed now: no order stops everything or this tenant, and the lease runs.
    pub(crate) fn check_standing(&self) -> Result<(), ClientError> {
        let appraiser = self.appraiser();
        let in_force = appraiser.in_force();
        let mut reasons = in_force.judge_standing(self.now());
        let tenant = self.tenant.as_ref();
        reasons.extend(tenant.and_then(|key| in_force.judge_tenant(key)));
        unless(reasons, in_force).map_err(ClientError::Stopped)
    }

    /// Whether a node of this name may be used.
    pub(crate) fn check_name(&self, node: &str) -> Result<(), ClientError> {
        let appraiser = self.appraiser();
        let in_force = appraiser.in_force();
        let reasons = in_force.judge_name(node).into_iter().collect();
        unless(reasons, in_force).map_err(ClientError::Stopped)
    }

    /// Whether an answer of `node` may go on. The age of evidence counts when a request is sealed, not while it is answered.
    pub(crate) fn check_under_way(&self, node: &AdmittedNode) -> Result<(), ClientError> {
        let (appraiser, now) = (self.appraiser(), self.now());
        let in_force = appraiser.in_force();
        let mut reasons = in_force.judge_standing(now);
        let tenant = self.tenant.as_ref();
        reasons.extend(tenant.and_then(|key| in_force.judge_tenant(key)));
        reasons.extend(in_force.judge_name(node.name()));
        if let Err(denial) = node.admitted().judged_again(in_force, now) {
            let lasting = denial.reasons.into_iter();
            reasons.extend(lasting.filter(|reason| !ENDS_WITH_TIME.contains(&reason.code)));
        }
        unless(reasons, in_force).map_err(ClientError::Withdrawn)
    }

    /// A demanded country is the node's word, sealed and receipted; an inventory has to agree with it.
    fn check_place(&self, in_force: &InForce, node: &Admitted) -> Result<(), ClientError> {
        let (Some(demanded), Some(_)) = (&self.residency, in_force.inventory()) else {
            return Ok(());
        };
        let placed = node.placement().map(|placement| &placement.country);
        if placed == Some(demanded) {
            return Ok(());
        }
        Err(ClientError::Placement {
            demanded: demanded.clone(),
            placed: placed.cloned(),
        })
    }
}

fn unless(reasons: Vec<Reason>, in_force: &InForce) -> Result<(), Denial> {
    if reasons.is_empty() {
        return Ok(());
    }
    Err(Denial {
        policy_version: in_force.policy().version(),
        reasons,
    })
}
