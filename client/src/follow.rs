//! Beside the requests: looks again and again for newer documents, and has everything judged by them as soon as there are any.

use crate::{Check, ClientError, admissions::Admissions, alarm};
use policy::{InForce, Policy, publication::Files};
use provision::{
    PolicyKeeper,
    policy_keeper::{Alarm, Refreshed},
};
use std::{sync::Arc, time::Duration};

/// How often it is looked whether a lease has ended.
const WATCH: Duration = Duration::from_secs(1);

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

impl PolicyUpdates {
    /// Looks for as long as it is polled. Whoever is asked may take its time: what ends by itself ends meanwhile.
    pub(crate) async fn follow(self, admissions: Arc<Admissions>) {
        tokio::join!(self.keep_looking(&admissions), keep_watch(&admissions));
    }

    async fn keep_looking(mut self, admissions: &Admissions) {
        let mut told = None;
        loop {
            tokio::time::sleep(self.every).await;
            let alarm = self.look(admissions).await;
            if let Some(alarm) = alarm.as_ref().filter(|now| told.as_ref() != Some(*now)) {
                raise(admissions, alarm);
            }
            told = alarm;
        }
    }

    /// Takes what is new; what is wrong, if something is.
    async fn look(&mut self, admissions: &Admissions) -> Option<Alarm> {
        let refreshed = match self.from {
            UpdatesFrom::Source => self.keeper.refresh().await,
            UpdatesFrom::Gateway => match offered(admissions).await {
                Ok(files) => self.take(files, admissions).await,
                Err(error) => return Some(unanswered(&error)),
            },
        };
        if let Refreshed::Changed(in_force) = refreshed {
            self.obey(*in_force, admissions);
        }
        self.keeper.alarm()
    }

    /// Files that do not fit together may have been fetched while they were being replaced: they are fetched once more.
    async fn take(&mut self, files: Files, admissions: &Admissions) -> Refreshed {
        let first = files.clone();
        match self.keeper.take(files).await {
            Refreshed::Refused(error) => match offered(admissions).await {
                Ok(files) if files != first => self.keeper.take(files).await,
                _ => Refreshed::Refused(error),
            },
            taken => taken,
        }
    }

    fn obey(&self, in_force: InForce, admissions: &Admissions) {
        let in_force = in_force.map_policy(self.policy);
        admissions.attester.notice(in_words(&in_force));
        admissions.obey(in_force);
    }
}

/// Looks again and again whether time has ended everything under way, as at the end of a lease.
async fn keep_watch(admissions: &Admissions) {
    loop {
        tokio::time::sleep(WATCH).await;
        admissions.judge_standing();
    }
}

/// What the gateway hands out now.
async fn offered(admissions: &Admissions) -> Result<Files, ClientError> {
    admissions.attester.transport.publication().await
}

fn unanswered(error: &ClientError) -> Alarm {
    Alarm {
        code: error.code(),
        message: error.to_string(),
    }
}

fn raise(admissions: &Admissions, Alarm { code, message }: &Alarm) {
    let title = "newer documents are not obeyed; the last good ones stay in force";
    let check = Check::info(alarm::POLICY, title);
    let detail = format!("{message} [{code}]");
    admissions.attester.alarm(check.detail(detail));
}

fn in_words(in_force: &InForce) -> String {
    let policy = in_force.policy();
    let inventory = in_force
        .inventory()
        .map_or(0, |inventory| inventory.version());
    format!(
        "policy {:?} version {} is in force now, with {} orders and inventory version {inventory}",
        policy.name(),
        policy.version(),
        in_force.orders().serial(),
    )
}
