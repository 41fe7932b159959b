//! Holds one exchange: it is told when it may not go on, by an order or because a lease has ended (R9.9, R9.11).

use crate::{obeyed::Halt, receipts::TenantKey, standing::State};
use openai::ApiError;
use std::{future::pending, time::Duration};
use tokio::{sync::watch, time::sleep};

/// Time that an exchange which was told gets to seal its end.
const LAST_WORDS: Duration = Duration::from_secs(2);

/// One exchange's end of the leash.
#[derive(Clone)]
pub(crate) struct Leash {
    state: watch::Receiver<State>,
    tenant: Option<TenantKey>,
}

impl Leash {
    pub(crate) const fn new(state: watch::Receiver<State>, tenant: Option<TenantKey>) -> Self {
        Self { state, tenant }
    }

    /// Whether the exchange may go on now.
    pub(crate) fn check(&mut self) -> Result<(), ApiError> {
        let state = self.state.borrow_and_update();
        match state.halt {
            Some(Halt::Stopped) => Err(ApiError::stopped()),
            Some(Halt::LeaseEnded) => Err(ApiError::lease_ended()),
            Some(Halt::EngineFailed(_)) => Err(ApiError::engine_failed()),
            None if state.obeyed.stops(self.tenant.as_ref()) => Err(ApiError::tenant_stopped()),
            None => Ok(()),
        }
    }

    /// Waits until the exchange may not go on; why.
    pub(crate) async fn pulled(&mut self) -> ApiError {
        loop {
            if let Err(error) = self.check() {
                return error;
            }
            if self.state.changed().await.is_err() {
                // The runtime itself is going: its connections end with it.
                return pending().await;
            }
        }
    }

    /// Waits until the exchange must have ended: one whose client does not read cannot seal an end of its own.
    pub(crate) async fn torn(mut self) {
        self.pulled().await;
        sleep(LAST_WORDS).await;
    }
}
