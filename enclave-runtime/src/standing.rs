//! Whether this runtime serves: judged by what it obeys, and by whether its engine works, whenever someone asks, at once when what it obeys
//! changes, and by itself as time goes on.
//! What ends with it (keys, answers under way) ends in the same step.

use crate::{
    Clock,
    epochs::Epochs,
    itself::Itself,
    leash::Leash,
    obeyed::{Halt, Obeyed},
    receipts::TenantKey,
    telemetry,
};
use attestation::Digest;
use engine::Engine;
use policy::{InForce, PolicyError, Remembered};
use std::{sync::Arc, time::Duration};
use tokio::sync::watch;

/// Why documents are not obeyed; `code()` is stable. What was in force stays in force.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum NotObeyed {
    /// Another root: this identity's manifest names the one that it obeys.
    #[error("the documents are signed under another root than the one that the manifest names")]
    Root,
    /// Older than, or other than, what was obeyed before.
    #[error("{}", .0.iter().map(ToString::to_string).collect::<Vec<_>>().join("; "))]
    Older(Vec<PolicyError>),
}

impl NotObeyed {
    /// Stable code: that of the first mistake.
    #[must_use]
    pub fn code(&self) -> &'static str {
        match self {
            Self::Root => "policy.root.other",
            Self::Older(mistakes) => mistakes
                .first()
                .map_or("policy.document.syntax", PolicyError::code),
        }
    }
}

/// What is obeyed now, and what follows from it.
#[derive(Clone)]
pub(crate) struct State {
    pub(crate) obeyed: Arc<Obeyed>,
    pub(crate) halt: Option<Halt>,
    remembered: Remembered,
}

/// The state of one runtime, and who is told of its changes.
pub(crate) struct Standing {
    itself: Itself,
    anchor: Digest,
    grace: Duration,
    engine: Arc<dyn Engine>,
    state: watch::Sender<State>,
}

impl Standing {
    /// Begins to obey `in_force`, whose root's anchor is `anchor`; nothing is halted before the first [`Standing::look`].
    pub(crate) fn new(
        itself: Itself,
        (in_force, anchor): (InForce, Digest),
        grace: Duration,
        engine: Arc<dyn Engine>,
        clock: &Clock,
    ) -> Self {
        let now = clock.moment();
        // Whatever comes first is obeyed: there is nothing older to compare it with.
        let remembered = Remembered::default();
        let remembered = remembered.after(&in_force, now.wall).unwrap_or_default();
        let state = State {
            obeyed: Arc::new(Obeyed::first(in_force, now)),
            halt: None,
            remembered,
        };
        Self {
            itself,
            anchor,
            grace,
            engine,
            state: watch::Sender::new(state),
        }
    }

    /// What is obeyed now.
    pub(crate) fn obeyed(&self) -> Arc<Obeyed> {
        Arc::clone(&self.state.borrow().obeyed)
    }

    /// What this runtime is.
    pub(crate) const fn itself(&self) -> &Itself {
        &self.itself
    }

    /// Holds an exchange of `tenant`: it is told when it may not go on.
    pub(crate) fn leash(&self, tenant: Option<TenantKey>) -> Leash {
        Leash::new(self.state.subscribe(), tenant)
    }

    /// Why nothing is served now. A halt that begins wipes all keys, one that ends begins an epoch (R9.9, R9.10).
    pub(crate) fn look(&self, epochs: &Epochs, clock: &Clock) -> Option<Halt> {
        let (judged, known) = {
            let state = self.state.borrow();
            let judged = self.judge(&state.obeyed, clock);
            (judged, state.halt)
        };
        if judged == known {
            return known;
        }
        let mut halt = known;
        self.state.send_if_modified(|state| {
            let changed = self.apply(state, epochs, clock);
            halt = state.halt;
            changed
        });
        halt
    }

    /// Obeys `in_force` from now on, unless it is older or another's.
    pub(crate) fn obey(
        &self,
        in_force: InForce,
        epochs: &Epochs,
        clock: &Clock,
    ) -> Result<(), NotObeyed> {
        if in_force.root().map(policy::Root::anchor) != Some(&self.anchor) {
            return Err(NotObeyed::Root);
        }
        let mut outcome = Ok(());
        self.state.send_if_modified(|state| {
            outcome = self.succeed(state, in_force, epochs, clock);
            outcome.is_ok()
        });
        outcome
    }

    // R9.8
    fn succeed(
        &self,
        state: &mut State,
        in_force: InForce,
        epochs: &Epochs,
        clock: &Clock,
    ) -> Result<(), NotObeyed> {
        let now = clock.moment();
        let time = state.obeyed.time(now);
        let remembered = state.remembered.after(&in_force, time);
        state.remembered = remembered.map_err(NotObeyed::Older)?;
        let next = state.obeyed.then(in_force, now, self.grace);
        epochs.state(next.stated());
        telemetry::policy_taken(next.stated().version);
        state.obeyed = Arc::new(next);
        self.apply(state, epochs, clock);
        Ok(())
    }

    /// Why nothing may be served now.
    fn judge(&self, obeyed: &Obeyed, clock: &Clock) -> Option<Halt> {
        let halt = obeyed.halt(&self.itself, clock.moment());
        halt.or_else(|| self.engine.failure().map(Halt::EngineFailed))
    }

    /// Judges anew; whether that changed anything.
    fn apply(&self, state: &mut State, epochs: &Epochs, clock: &Clock) -> bool {
        let halt = self.judge(&state.obeyed, clock);
        let changed = halt != state.halt;
        state.halt = halt;
        match halt {
            Some(halt) if changed => {
                epochs.halt();
                telemetry::halted(halt.code());
                if let Halt::EngineFailed(code) = halt {
                    telemetry::engine_failed(code);
                }
            }
            None if changed => {
                epochs.resume(clock.moment());
                telemetry::resumed();
            }
            _ => {}
        }
        changed
    }
}
