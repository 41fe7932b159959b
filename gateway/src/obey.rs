//! Documents that come later: put in force as a whole, every node judged anew, and what they refuse ended at once.

use crate::{
    AppraisalError,
    appraisal::{is_of_age_alone, refuse},
    gateway::Core,
    registry::{Node, Verdict},
    standing::Standing,
    telemetry,
};
use policy::{Admitted, Denial, InForce, Refusal, publication::Files};
use provision::policy_keeper::Alarm;
use std::{
    sync::{Arc, PoisonError},
    time::Duration,
};

/// How often it is looked whether time has ended what is under way.
const LOOK: Duration = Duration::from_millis(500);

impl Core {
    /// Judges by `in_force` from now on. No verdict of the documents before it is put in force after this has begun.
    // R8.8
    pub(crate) fn obey(&self, in_force: InForce, files: &Files) {
        let _judging = self.judging.lock().unwrap_or_else(PoisonError::into_inner);
        let standing = Arc::new(self.standing.load().under(in_force, files));
        self.standing.store(Arc::clone(&standing));
        telemetry::policy_changed(standing.in_force());
        for node in self.registry.nodes() {
            self.judge_again(&standing, node);
        }
        self.cut_if_refused();
    }

    /// Told once, however often it is raised.
    pub(crate) fn alarm(&self, alarm: Option<Alarm>) {
        let is_news = self.metrics.alarm(alarm.as_ref().map(|alarm| alarm.code));
        if let Some(alarm) = alarm.filter(|_| is_news) {
            telemetry::policy_alarm(&alarm);
        }
    }

    /// By its name, which needs no evidence; then by the evidence that there is. What has none, or is refused, is challenged at once.
    fn judge_again(&self, standing: &Standing, node: &Node) {
        if let Err(denial) = standing.judge_name(&node.name) {
            return withdraw(node, denial);
        }
        let again =
            |admitted: &Admitted| admitted.judged_again(standing.in_force(), self.clock.now());
        match node.verdict().as_ref() {
            Verdict::Admitted(admitted) => match again(admitted) {
                Ok(admitted) => node.admit(admitted),
                Err(denial) => withdraw(node, denial),
            },
            _ => judge_under_way(node, again),
        }
    }

    /// Ends every exchange if nothing may be served now.
    fn cut_if_refused(&self) {
        if self.standing.load().check(self.clock.now()).is_err() {
            self.registry.nodes().iter().for_each(|node| node.cut());
        }
    }
}

/// Refused from now on, and challenged at once.
fn withdraw(node: &Node, denial: Denial) {
    refuse(node, &AppraisalError::Refused(Refusal::Policy(denial)));
    node.wake();
}

/// What is under way with a node that is off offer, as when it does not answer, began under its last admission: that is judged.
fn judge_under_way(node: &Node, again: impl FnOnce(&Admitted) -> Result<Admitted, Denial>) {
    match node.last_admission().map(|last| again(&last)) {
        Some(Err(denial)) if !is_of_age_alone(&denial) => withdraw(node, denial),
        _ => node.wake(),
    }
}

/// Tells of a lease's end, and ends what is under way where the policy stops then: requests are refused by themselves, streams are not.
pub(crate) async fn keep_watch(core: Arc<Core>) {
    let mut was_over = false;
    loop {
        let is_over = core.standing.load().lease_is_over(core.clock.now());
        if is_over && !was_over {
            telemetry::lease_over();
        }
        was_over = is_over;
        core.cut_if_refused();
        tokio::time::sleep(LOOK).await;
    }
}
