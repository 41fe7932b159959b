//! What may come into force here: what verifies under the root and succeeds what is remembered.

use super::PolicyKeeperError;
use crate::{
    Clock as _, PolicyClock, StoreError,
    policy_store::{PolicyStore, Record},
};
use policy::{Files, InForce, PolicyError, Publication, Remembered, Root};
use std::{
    path::Path,
    sync::{Arc, Mutex, PoisonError},
};

/// One root, what was obeyed under it, and the clock that both move forward.
pub(super) struct Succession {
    root: Root,
    memory: Memory,
    clock: Arc<PolicyClock>,
}

/// Files that nobody has verified.
pub(super) struct Offer {
    pub(super) files: Files,
    /// For error messages.
    pub(super) from: String,
}

/// What is in force, and remembered to be.
pub(super) struct Obeyed {
    pub(super) files: Files,
    pub(super) in_force: InForce,
}

/// A host whose disk supports no claim remembers in its own memory.
enum Memory {
    Process(Box<Mutex<Record>>),
    Disk(PolicyStore),
}

impl Succession {
    pub(super) fn new(root: Root, state: Option<&Path>, clock: Arc<PolicyClock>) -> Self {
        let memory = match state {
            None => Memory::Process(Box::default()),
            Some(directory) => Memory::Disk(PolicyStore::new(directory, *root.anchor())),
        };
        Self {
            root,
            memory,
            clock,
        }
    }

    pub(super) const fn root(&self) -> &Root {
        &self.root
    }

    pub(super) const fn clock(&self) -> &Arc<PolicyClock> {
        &self.clock
    }

    /// Takes `offer` if it is good; then it is remembered before this returns.
    pub(super) fn obey(&self, offer: Offer) -> Result<Obeyed, PolicyKeeperError> {
        let mut obeyed = None;
        self.memory.update(|record| {
            self.rise_to(record);
            let in_force = self.verify(&offer)?;
            let after = after(&record.remembered, &in_force, &self.clock);
            let after = after.map_err(|mistakes| offer.refused_after(mistakes))?;
            let known = same_documents(&record.remembered, &after)
                && record.files.as_ref() == Some(&offer.files);
            obeyed = Some(in_force);
            Ok::<_, PolicyKeeperError>((!known).then(|| Record {
                remembered: after,
                files: Some(offer.files.clone()),
            }))
        })?;
        let in_force = obeyed.ok_or(PolicyKeeperError::NothingOffered)?;
        Ok(self.risen(offer.files, in_force))
    }

    /// The publication that was obeyed last, if it is known; an error if it is not good any more.
    pub(super) fn last_good(&self) -> Result<Option<Obeyed>, PolicyKeeperError> {
        let record = self.memory.record()?;
        self.rise_to(&record);
        let Some(files) = record.files else {
            return Ok(None);
        };
        let offer = Offer {
            files,
            from: "the last good publication".to_owned(),
        };
        let in_force = self.verify(&offer)?;
        let after = after(&record.remembered, &in_force, &self.clock);
        let after = after.map_err(|mistakes| offer.refused_after(mistakes))?;
        if !same_documents(&record.remembered, &after) {
            return Ok(None);
        }
        Ok(Some(self.risen(offer.files, in_force)))
    }

    fn verify(&self, offer: &Offer) -> Result<InForce, PolicyKeeperError> {
        let parsed = Publication::parse(&offer.files);
        let verified = parsed.and_then(|parsed| parsed.verify(&self.root, self.clock.now()));
        verified.map_err(|mistakes| PolicyKeeperError::Publication {
            from: offer.from.clone(),
            mistakes,
        })
    }

    fn rise_to(&self, record: &Record) {
        let obeyed_at = record.remembered.obeyed_at;
        obeyed_at
            .into_iter()
            .for_each(|time| self.clock.at_least(time));
    }

    /// It is not before its timestamp was signed. Orders tell no time: whoever may only stop could end every document with one.
    fn risen(&self, files: Files, in_force: InForce) -> Obeyed {
        let signed = in_force.timestamp().map(|timestamp| timestamp.issued);
        signed
            .into_iter()
            .for_each(|time| self.clock.at_least(time));
        Obeyed { files, in_force }
    }
}

impl Offer {
    fn refused_after(&self, mistakes: Vec<PolicyError>) -> PolicyKeeperError {
        let from = self.from.clone();
        PolicyKeeperError::Succession { from, mistakes }
    }
}

fn after(
    remembered: &Remembered,
    in_force: &InForce,
    clock: &PolicyClock,
) -> Result<Remembered, Vec<PolicyError>> {
    remembered.after(in_force, clock.now())
}

fn same_documents(one: &Remembered, other: &Remembered) -> bool {
    let timeless = |remembered: &Remembered| Remembered {
        obeyed_at: None,
        ..remembered.clone()
    };
    timeless(one) == timeless(other)
}

impl Memory {
    fn record(&self) -> Result<Record, StoreError> {
        match self {
            Self::Process(record) => Ok(locked(record).clone()),
            Self::Disk(store) => store.read(),
        }
    }

    fn update<E: From<StoreError>>(
        &self,
        change: impl FnOnce(&Record) -> Result<Option<Record>, E>,
    ) -> Result<(), E> {
        let record = match self {
            Self::Process(record) => record,
            Self::Disk(store) => return store.update(change),
        };
        let mut record = locked(record);
        if let Some(changed) = change(&record)? {
            *record = changed;
        }
        Ok(())
    }
}

/// A record is replaced as a whole, so that a panic elsewhere leaves a whole one.
fn locked(record: &Mutex<Record>) -> std::sync::MutexGuard<'_, Record> {
    record.lock().unwrap_or_else(PoisonError::into_inner)
}
