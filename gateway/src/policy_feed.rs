//! Keeps a gateway under the newest documents that their signers publish.

use crate::Gateway;
use policy::InForce;
use provision::{Clock, PolicyKeeper, PolicyKeeperError, PolicySettings, Refreshed};
use std::sync::Arc;

/// Looks where documents are published, and puts what is new in force.
pub struct PolicyFeed {
    keeper: PolicyKeeper,
    first: InForce,
    change: fn(InForce) -> InForce,
}

impl PolicyFeed {
    /// Takes what is published, or the last good documents that are remembered.
    pub async fn open(
        settings: PolicySettings,
        clock: Arc<dyn Clock>,
    ) -> Result<Self, PolicyKeeperError> {
        let (keeper, first) = PolicyKeeper::open(settings, clock).await?;
        Ok(Self {
            keeper,
            first,
            change: |in_force| in_force,
        })
    }

    /// Has `change` look at all documents before they are in force: a composition with invented vendors accepts their roots so.
    #[must_use]
    pub fn changed_by(self, change: fn(InForce) -> InForce) -> Self {
        Self { change, ..self }
    }

    /// What the gateway begins with.
    #[must_use]
    pub fn in_force(&self) -> InForce {
        (self.change)(self.first.clone())
    }

    /// The time to judge by: never before what was remembered or signed.
    #[must_use]
    pub fn clock(&self) -> Arc<dyn Clock> {
        Arc::clone(self.keeper.clock()) as Arc<dyn Clock>
    }

    /// Puts what was taken at first in force at `gateway`, and has it handed out.
    pub fn begin(&self, gateway: &Gateway) {
        gateway.obey(self.in_force(), self.keeper.files());
        gateway.alarm(self.keeper.alarm());
    }

    /// Looks again; what is good comes into force at `gateway`, what is not raises its alarm.
    pub async fn refresh(&mut self, gateway: &Gateway) {
        if let Refreshed::Changed(in_force) = self.keeper.refresh().await {
            gateway.obey((self.change)(*in_force), self.keeper.files());
        }
        gateway.alarm(self.keeper.alarm());
    }
}
