//! Beside the requests: looks again and again for newer documents, and has everything judged by them as soon as there are any.

use crate::{Check, ClientError, admissions::Admissions, alarm};
use policy::{InForce, Policy, publication::Files};
use provision::{PolicyKeeper, policy_keeper::Refreshed};
use std::{sync::Arc, time::Duration};

/// Where newer documents come from, and how often they are looked for.
pub struct PolicyUpdates {
    /// Verifies and remembers them.
    pub keeper: PolicyKeeper,
    /// From one look to the next.
    pub every: Duration,
    /// Who is asked.
    pub from: UpdatesFrom,
    /// What is made of a policy whose signatures are verified; the identity in what ships.
    pub policy: fn(Policy) -> Policy,
}

/// Who is asked for newer documents.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum UpdatesFrom {
    /// The keeper's own source.
    Source,
    /// The gateway. What it hands out is verified like everything else; that it may hand out something old is what a lease bounds.
    Gateway,
}

/// A look that brought nothing good, in words and with its code.
type Trouble = (&'static str, String);

impl PolicyUpdates {
    /// Looks for as long as it is polled.
    pub(crate) async fn follow(mut self, admissions: Arc<Admissions>) {
        let mut told = None;
        loop {
            tokio::time::sleep(self.every).await;
            let trouble = self.look(&admissions).await.err();
            if let Some(trouble) = trouble.as_ref().filter(|now| told.as_ref() != Some(*now)) {
                raise(&admissions, trouble);
            }
            told = trouble;
            admissions.judge_standing();
        }
    }

    async fn look(&mut self, admissions: &Admissions) -> Result<(), Trouble> {
        let refreshed = match self.from {
            UpdatesFrom::Source => self.keeper.refresh().await,
            UpdatesFrom::Gateway => {
                let files = offered(admissions).await;
                let files = files.map_err(|error| (error.code(), error.to_string()))?;
                self.keeper.take(files).await
            }
        };
        match refreshed {
            Refreshed::Changed(in_force) => self.obey(*in_force, admissions),
            Refreshed::Refused(error) => return Err((error.code(), error.to_string())),
            Refreshed::Unchanged => {}
        }
        match self.keeper.alarm() {
            Some(error) => Err((error.code(), error.to_string())),
            None => Ok(()),
        }
    }

    fn obey(&self, in_force: InForce, admissions: &Admissions) {
        let in_force = in_force.map_policy(self.policy);
        admissions.attester.notice(in_words(&in_force));
        admissions.obey(in_force);
    }
}

/// What the gateway hands out now.
async fn offered(admissions: &Admissions) -> Result<Files, ClientError> {
    admissions.attester.transport.publication().await
}

fn raise(admissions: &Admissions, (code, message): &Trouble) {
    let title = "newer documents are not obeyed; the last good ones stay in force";
    let check = Check::info(alarm::POLICY, title);
    let detail = format!("{message} [{code}]");
    admissions.attester.alarm(check.detail(detail));
}

fn in_words(in_force: &InForce) -> String {
    let policy = in_force.policy();
    let inventory = in_force.inventory().map_or(0, |inventory| inventory.version());
    format!(
        "policy {:?} version {} is in force now, with {} orders and inventory version {inventory}",
        policy.name(),
        policy.version(),
        in_force.orders().serial(),
    )
}
