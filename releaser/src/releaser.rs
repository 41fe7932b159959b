//! The releaser itself: what all its requests share, and its life to the drain.

use crate::{KeyFolder, Limits, nonces::Nonces, rate::Rates, routes, telemetry};
use arc_swap::ArcSwap;
use listener::{Accept, Drained, Server};
use policy::{Appraiser, InForce};
use provision::{Clock, PolicyKeeper, Refreshed};
use rustls::ServerConfig;
use std::{convert::Infallible, sync::Arc, time::Duration};
use tokio::sync::Semaphore;

/// What every request needs.
pub(crate) struct Core {
    pub(crate) keys: ArcSwap<KeyFolder>,
    pub(crate) appraiser: ArcSwap<Appraiser>,
    pub(crate) clock: Arc<dyn Clock>,
    pub(crate) nonces: Nonces,
    pub(crate) rates: Rates,
    pub(crate) appraisals: Arc<Semaphore>,
    pub(crate) limits: Limits,
}

/// A releaser, ready to serve. Cheap to clone.
#[derive(Clone)]
pub struct Releaser {
    core: Arc<Core>,
}

impl Releaser {
    /// A releaser of `keys` to nodes that `appraiser` admits at the times that `clock` says.
    #[must_use]
    pub fn new(
        keys: KeyFolder,
        appraiser: Appraiser,
        clock: Arc<dyn Clock>,
        limits: Limits,
    ) -> Self {
        let core = Core {
            keys: ArcSwap::from_pointee(keys),
            appraiser: ArcSwap::from_pointee(appraiser),
            clock,
            nonces: Nonces::new(limits.max_nonces, limits.nonce_lifetime),
            rates: Rates::new(limits.burst, limits.period),
            appraisals: Arc::new(Semaphore::new(limits.max_appraisals)),
            limits,
        };
        Self {
            core: Arc::new(core),
        }
    }

    /// Judges by `in_force` from now on.
    pub fn obey(&self, in_force: InForce) {
        telemetry::policy_changed(&in_force);
        let appraiser = self.core.appraiser.load().under(in_force);
        self.core.appraiser.store(Arc::new(appraiser));
    }

    /// Releases `keys` from now on, and no others.
    pub fn hold(&self, keys: KeyFolder) {
        telemetry::keys_read(keys.len());
        self.core.keys.store(Arc::new(keys));
    }

    /// Serves on `socket` until `shutdown`, then finishes what is under way.
    pub async fn serve(
        self,
        socket: impl Accept,
        tls: Option<Arc<ServerConfig>>,
        shutdown: impl Future<Output = ()>,
    ) -> Drained {
        let server = Server::new(socket, self.core.limits.listener());
        let server = match tls {
            Some(tls) => server.tls(tls),
            None => server,
        };
        let core = Arc::clone(&self.core);
        let begin_drain = async {
            shutdown.await;
            telemetry::draining();
        };
        let drained = server
            .serve(
                move |request| routes::answer(Arc::clone(&core), request),
                begin_drain,
            )
            .await;
        telemetry::stopped(drained.cut);
        drained
    }
}

/// Has `releaser` obey what is published, looked for every `every`. `change` sees all documents first: a composition with invented vendors
/// accepts their roots so.
pub async fn follow(
    releaser: Releaser,
    mut keeper: PolicyKeeper,
    every: Duration,
    change: fn(InForce) -> InForce,
) -> Infallible {
    let mut told = None;
    loop {
        tokio::time::sleep(every).await;
        if let Refreshed::Changed(in_force) = keeper.refresh().await {
            releaser.obey(change(*in_force));
        }
        let alarm = keeper.alarm();
        if let Some(alarm) = alarm.as_ref().filter(|alarm| told != Some(alarm.code)) {
            telemetry::policy_alarm(alarm);
        }
        told = alarm.map(|alarm| alarm.code);
    }
}
