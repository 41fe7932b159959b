//! Keeps what is in force current and durable: takes each publication that verifies and succeeds what is remembered, and nothing else.
//!
//! A publication that is refused changes nothing: the last good one stays in force, and is what a restart begins with. What is
//! remembered is durable before it is obeyed, so that a host that is killed at any point obeys what it obeyed or its successor.

mod error;
mod memory;
mod settings;
mod source;
mod succession;
mod supplier;

pub use error::{Alarm, PolicyKeeperError};
pub use settings::{PolicySettings, RootSource};
pub use source::{PolicySource, PolicyUrl, PolicyUrlError};

use crate::{Clock, PolicyClock};
use policy::{Files, InForce, Root};
use std::{panic, sync::Arc};
use succession::{Obeyed, Offer, Succession};
use supplier::Supplier;

/// A clock that is this much behind what was obeyed has been set back; less is how clocks are corrected.
const SET_BACK_SECONDS: u64 = 300;

/// Where publications come from, and what was made of them so far.
pub struct PolicyKeeper {
    supplier: Supplier,
    succession: Arc<Succession>,
    /// Of what is in force; empty while nothing is.
    files: Files,
    alarm: Option<Alarm>,
}

/// What became of a publication that was looked at.
#[derive(Debug)]
pub enum Refreshed {
    /// It is the one in force.
    Unchanged,
    /// Something else is in force from now on, and durably remembered.
    Changed(Box<InForce>),
    /// It is not obeyed. What was in force stays so; [`PolicyKeeper::alarm`] tells this until a publication is good again.
    Refused(PolicyKeeperError),
}

impl PolicyKeeper {
    /// Takes what the source offers, or else, with an alarm, the last good publication that is remembered; without either, an error.
    pub async fn open(
        settings: PolicySettings,
        clock: Arc<dyn Clock>,
    ) -> Result<(Self, InForce), PolicyKeeperError> {
        let mut keeper = Self::with_nothing(settings, clock)?;
        let refreshed = keeper.refresh().await;
        keeper.begun(refreshed)
    }

    /// [`Self::open`] with files that came otherwise than from the source, as through the gateway.
    pub async fn open_with(
        settings: PolicySettings,
        clock: Arc<dyn Clock>,
        files: Files,
    ) -> Result<(Self, InForce), PolicyKeeperError> {
        let mut keeper = Self::with_nothing(settings, clock)?;
        let taken = keeper.take(files).await;
        keeper.begun(taken)
    }

    /// Looks at the source again. [`PolicySource::Gateway`] offers nothing by itself: what came through the gateway goes to [`Self::take`].
    pub async fn refresh(&mut self) -> Refreshed {
        let obeyed = match self.supplier.offer().await {
            Ok(offer) => self.consider(offer).await,
            Err(PolicyKeeperError::NothingOffered) if self.has_begun() => {
                return Refreshed::Unchanged;
            }
            Err(error) => Err(error),
        };
        self.conclude(obeyed).await
    }

    /// Looks at files that came otherwise than from the source.
    pub async fn take(&mut self, files: Files) -> Refreshed {
        let from = self.supplier.to_string();
        let obeyed = self.obey(Offer { files, from }).await;
        self.conclude(obeyed).await
    }

    /// The files of what is in force, as they came.
    #[must_use]
    pub const fn files(&self) -> &Files {
        &self.files
    }

    /// The root as its user gave it; [`InForce::root`] is the newest that follows from it.
    #[must_use]
    pub fn pinned_root(&self) -> &Root {
        self.succession.root()
    }

    /// The time to judge by: never before what was remembered or signed.
    #[must_use]
    pub fn clock(&self) -> &Arc<PolicyClock> {
        self.succession.clock()
    }

    /// Why the newest publication that was looked at is not in force, or that the clock was set back; `None` while all is well.
    #[must_use]
    pub fn alarm(&self) -> Option<Alarm> {
        let behind_seconds = self.clock().behind_seconds();
        let set_back = (behind_seconds > SET_BACK_SECONDS)
            .then(|| Alarm::of(&PolicyKeeperError::ClockSetBack { behind_seconds }));
        self.alarm.clone().or(set_back)
    }

    fn with_nothing(
        settings: PolicySettings,
        clock: Arc<dyn Clock>,
    ) -> Result<Self, PolicyKeeperError> {
        let root = settings.root.read()?;
        let clock = Arc::new(PolicyClock::new(clock));
        let succession = Succession::new(root, settings.state.as_deref(), clock);
        Ok(Self {
            supplier: Supplier::new(settings.source)?,
            succession: Arc::new(succession),
            files: Files::default(),
            alarm: None,
        })
    }

    const fn has_begun(&self) -> bool {
        self.files.policy.is_some()
    }

    /// What the first look brought into force.
    fn begun(self, refreshed: Refreshed) -> Result<(Self, InForce), PolicyKeeperError> {
        match refreshed {
            Refreshed::Changed(in_force) => Ok((self, *in_force)),
            Refreshed::Unchanged => Err(PolicyKeeperError::NothingOffered),
            Refreshed::Refused(error) => Err(error),
        }
    }

    /// Files that do not fit together may have been read while they were being replaced: they are read once more.
    async fn consider(&mut self, offer: Offer) -> Result<Obeyed, PolicyKeeperError> {
        let first = offer.files.clone();
        let error = match self.obey(offer).await {
            Err(error @ PolicyKeeperError::Publication { .. }) => error,
            concluded => return concluded,
        };
        match self.supplier.offer().await {
            Ok(offer) if offer.files != first => self.obey(offer).await,
            _ => Err(error),
        }
    }

    async fn obey(&self, offer: Offer) -> Result<Obeyed, PolicyKeeperError> {
        self.off_the_runtime(|succession| succession.obey(offer))
            .await
    }

    async fn conclude(&mut self, obeyed: Result<Obeyed, PolicyKeeperError>) -> Refreshed {
        let error = match obeyed {
            Ok(obeyed) => {
                self.alarm = None;
                return self.adopt(obeyed).unwrap_or(Refreshed::Unchanged);
            }
            Err(error) => error,
        };
        self.alarm = Some(Alarm::of(&error));
        // After a restart, or once another process of this host has obeyed something newer, it is not what is in force here.
        let last_good = self.off_the_runtime(Succession::last_good).await;
        let adopted = last_good.ok().flatten().and_then(|good| self.adopt(good));
        adopted.unwrap_or(Refreshed::Refused(error))
    }

    /// `None` if it is in force already.
    fn adopt(&mut self, obeyed: Obeyed) -> Option<Refreshed> {
        if obeyed.files == self.files {
            return None;
        }
        self.files = obeyed.files;
        Some(Refreshed::Changed(Box::new(obeyed.in_force)))
    }

    /// Disk and signatures would keep a runtime's thread from other work.
    async fn off_the_runtime<T: Send + 'static>(
        &self,
        work: impl FnOnce(&Succession) -> T + Send + 'static,
    ) -> T {
        let succession = Arc::clone(&self.succession);
        let done = tokio::task::spawn_blocking(move || work(&succession)).await;
        done.unwrap_or_else(|error| panic::resume_unwind(error.into_panic()))
    }
}
