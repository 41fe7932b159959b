//! Where it is remembered what was obeyed: in this process, and on the disk if the host has one of its own.

use crate::{
    StoreError,
    policy_store::{PolicyStore, Record},
};
use attestation::Digest;
use policy::Remembered;
use std::{
    path::Path,
    sync::{Mutex, MutexGuard, PoisonError},
};

/// A host whose disk supports no claim has no store. One that has is not led back by whoever takes its files away while it runs.
pub(super) struct Memory {
    own: Mutex<Record>,
    store: Option<PolicyStore>,
}

impl Memory {
    pub(super) fn new(state: Option<&Path>, anchor: Digest) -> Self {
        Self {
            own: Mutex::default(),
            store: state.map(|directory| PolicyStore::new(directory, anchor)),
        }
    }

    /// What this process has obeyed so far.
    pub(super) fn own(&self) -> Remembered {
        self.lock().remembered.clone()
    }

    /// What the host remembers.
    pub(super) fn record(&self) -> Result<Record, StoreError> {
        match &self.store {
            Some(store) => store.read(),
            None => Ok(self.lock().clone()),
        }
    }

    /// What `change` makes of what the host remembers is remembered before this returns; `None` changes nothing.
    pub(super) fn update<E: From<StoreError>>(
        &self,
        change: impl FnOnce(&Record) -> Result<Option<Record>, E>,
    ) -> Result<(), E> {
        if let Some(store) = &self.store {
            return store.update(change);
        }
        let own = self.lock().clone();
        if let Some(changed) = change(&own)? {
            *self.lock() = changed;
        }
        Ok(())
    }

    /// This process obeys it.
    pub(super) fn obeyed(&self, remembered: Remembered) {
        self.lock().remembered = remembered;
    }

    /// A record is replaced as a whole, so that a panic elsewhere leaves a whole one.
    fn lock(&self) -> MutexGuard<'_, Record> {
        self.own.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
