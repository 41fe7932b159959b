//! The admitted nodes of one gateway: a request gets one at once where it can; others are admitted and renewed beside the requests.

use crate::{
    AdmittedNode, Check, ClientError,
    attester::{Attester, Told},
    nodes::{Changed, Nodes, Want},
};
use attestation::UnixTime;
use policy::InForce;
use session::Offer;
use std::{
    num::NonZeroUsize,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};
use tokio::sync::Notify;

/// Nodes tried for one request after the first.
pub(crate) const MAX_FAILOVERS: usize = 2;
/// Between two rounds of the keeper that nothing wakes.
const MIN_PAUSE_SECONDS: u64 = 5;
const MAX_PAUSE_SECONDS: u64 = 300;

/// What the client knows of the nodes, and how it comes to know it.
pub(crate) struct Admissions {
    pub(crate) attester: Attester,
    nodes: Mutex<Nodes>,
    /// How many nodes are kept ready.
    kept: NonZeroUsize,
    /// Held by the request that admits a node while others wait for the same.
    waiting: tokio::sync::Mutex<()>,
    /// Wakes the keeper.
    work: Notify,
}

impl Admissions {
    pub(crate) fn new(attester: Attester, kept: NonZeroUsize) -> Self {
        Self {
            attester,
            nodes: Mutex::default(),
            kept,
            waiting: tokio::sync::Mutex::default(),
            work: Notify::new(),
        }
    }

    /// The best node that fits: one that is admitted, else one that can be, else one that was lost a moment ago.
    pub(crate) async fn node(&self, want: &Want<'_>) -> Result<Arc<AdmittedNode>, ClientError> {
        if let Some(node) = self.ready(want) {
            return Ok(node);
        }
        let _waiting = self.waiting.lock().await;
        if let Some(node) = self.ready(want) {
            return Ok(node);
        }
        let admitted = self.admit_one(want).await;
        let now = self.attester.judging.now();
        admitted.or_else(|error| self.nodes().last_resort(want, now).ok_or(error))
    }

    /// The names of all nodes on offer, those that can be sealed to at once first.
    pub(crate) fn on_offer(&self) -> Vec<String> {
        self.nodes().on_offer(self.attester.judging.now())
    }

    /// The same node with newer keys, or admitted anew if it has forgotten its attestation.
    pub(crate) async fn renewed(
        &self,
        node: &Arc<AdmittedNode>,
    ) -> Result<Arc<AdmittedNode>, ClientError> {
        self.current(node.offer(), Some(node), Told::Checks).await
    }

    /// The node broke off or is unavailable, with `code`: the next request goes elsewhere.
    pub(crate) fn lost(&self, node: &AdmittedNode, code: &'static str) {
        let now = self.attester.judging.now();
        self.nodes().set_aside(node.name(), code, now);
        self.work.notify_one();
    }

    /// What is in force refuses `node` now: it is not sealed to any more, and the user is told.
    pub(crate) fn refused(&self, node: &Arc<AdmittedNode>, error: &ClientError) {
        let is_current = |current: Arc<AdmittedNode>| Arc::ptr_eq(&current, node);
        if self.nodes().admitted(node.name()).is_some_and(is_current) {
            self.note(node.offer(), error);
            self.work.notify_one();
        }
    }

    /// Judges by `in_force` from now on, and every admitted node by it at once. Nodes that were refused before get another chance.
    pub(crate) fn obey(&self, in_force: InForce) {
        self.attester.judging.obey(in_force);
        let admitted = self.nodes().all_admitted();
        for node in admitted {
            match self.attester.judge_again(&node) {
                Ok(again) => self.nodes().replace(&node, Arc::new(again)),
                Err(error) => self.refused(&node, &error),
            }
        }
        self.nodes().reconsider();
        self.work.notify_one();
    }

    /// Ends what is under way if nothing may be sent any more, as when a lease has ended.
    pub(crate) fn judge_standing(&self) {
        let judging = &self.attester.judging;
        if judging.check_standing().is_err() {
            judging.turn();
        }
    }

    /// The node gave a whole answer.
    pub(crate) fn answered(&self, node: &AdmittedNode) {
        self.nodes().answered(node.name());
    }

    /// Keeps nodes ready for as long as it is polled; errors are told and tried again later.
    pub(crate) async fn keep(self: Arc<Self>) {
        loop {
            self.tend().await;
            let pause = Duration::from_secs(self.pause_seconds());
            tokio::select! {
                () = self.work.notified() => {}
                () = tokio::time::sleep(pause) => {}
            }
        }
    }

    fn ready(&self, want: &Want<'_>) -> Option<Arc<AdmittedNode>> {
        let now = self.attester.judging.now();
        let nodes = self.nodes();
        if nodes.are_offers_stale(now) {
            self.work.notify_one();
        }
        nodes.ready(want, now)
    }

    /// Admits the first node on offer that fits and that the policy accepts; the last refusal is the answer if all are refused.
    async fn admit_one(&self, want: &Want<'_>) -> Result<Arc<AdmittedNode>, ClientError> {
        self.fetch_offers().await?;
        // The keeper may have admitted one meanwhile.
        if let Some(node) = self.ready(want) {
            return Ok(node);
        }
        let mut last = None;
        let offers = self.nodes().to_try(want, self.attester.judging.now());
        for offer in offers.into_iter().take(1 + MAX_FAILOVERS) {
            match self.current(&offer, None, Told::Checks).await {
                Ok(node) if node.serves(want.model) => return Ok(node),
                Ok(_) => {}
                Err(error) => last = Some(error),
            }
        }
        Err(last.unwrap_or_else(|| self.nobody(want)))
    }

    /// No node on offer fits.
    fn nobody(&self, want: &Want<'_>) -> ClientError {
        let now = self.attester.judging.now();
        match (want.model, self.nodes().of_another_model(want, now)) {
            (Some(asked), Some(node)) => ClientError::Model {
                asked: asked.to_owned(),
                served: node.model().to_owned(),
            },
            _ => ClientError::Unavailable("no other node is on offer".to_owned()),
        }
    }

    /// The usable admission of the offered node, which is not `old`: made or renewed here, unless another task just did.
    async fn current(
        &self,
        offer: &Offer,
        old: Option<&Arc<AdmittedNode>>,
        told: Told,
    ) -> Result<Arc<AdmittedNode>, ClientError> {
        let turn = self.nodes().turn(&offer.node);
        let _turn = turn.lock().await;
        let current = self.nodes().admitted(&offer.node);
        let now = self.attester.judging.now();
        let is_old = |node: &Arc<AdmittedNode>| old.is_some_and(|old| Arc::ptr_eq(old, node));
        if let Some(node) = current.as_ref()
            && node.is_usable(now)
            && !is_old(node)
        {
            return Ok(Arc::clone(node));
        }
        let outcome = self
            .attester
            .renew_or_admit(current.as_deref(), offer, told)
            .await;
        let node = Arc::new(outcome.inspect_err(|error| self.note(offer, error))?);
        self.nodes().admit(Arc::clone(&node));
        Ok(node)
    }

    /// A node that cannot prove what it runs is left out, one that does not answer goes last; the user is told once.
    fn note(&self, offer: &Offer, error: &ClientError) {
        let now = self.attester.judging.now();
        let (name, code) = (&offer.node, error.code());
        let news = if error.is_refusal() {
            self.nodes().refuse(name, code, now)
        } else {
            self.nodes().set_aside(name, code, now)
        };
        if news == Changed::Yes {
            self.attester
                .notice(format!("node {name} is passed over: {error} [{code}]"));
        }
    }

    async fn fetch_offers(&self) -> Result<(), ClientError> {
        self.nodes().ask(self.attester.judging.now());
        let offers = self.attester.offers().await?;
        let names: Vec<&str> = offers.iter().map(|offer| offer.node.as_str()).collect();
        let detail = format!(
            "{} at {}: a hint, not an admission",
            names.join(", "),
            self.attester.transport.url()
        );
        if self.nodes().offer(offers) == Changed::Yes {
            let check = Check::info("gateway.offers", "nodes on offer");
            self.attester.tell(check.detail(detail));
        }
        Ok(())
    }

    /// One round: the gateway's order, what ends soon, what is missing.
    async fn tend(&self) {
        if self.nodes().are_offers_stale(self.attester.judging.now()) {
            // The old order serves until the gateway answers again; a request that needs more says why it fails.
            let _ = self.fetch_offers().await;
        }
        let due = self.nodes().due(self.attester.judging.now());
        for node in due {
            let _ = self.current(node.offer(), Some(&node), Told::Outcome).await;
        }
        let spare = self.nodes().spare(self.attester.judging.now());
        for offer in spare {
            if self.nodes().ready_count(self.attester.judging.now()) >= self.kept.get() {
                return;
            }
            let _ = self.current(&offer, None, Told::Outcome).await;
        }
    }

    fn pause_seconds(&self) -> u64 {
        let now = self.attester.judging.now();
        let next = self.nodes().next_renewal();
        let left = next.map_or(MAX_PAUSE_SECONDS, |at: UnixTime| at.since(now));
        left.clamp(MIN_PAUSE_SECONDS, MAX_PAUSE_SECONDS)
    }

    /// A panic elsewhere leaves no half-made entry.
    fn nodes(&self) -> MutexGuard<'_, Nodes> {
        self.nodes.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
