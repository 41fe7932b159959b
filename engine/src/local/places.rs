//! How many jobs are under way, of all tenants and of each.

use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use crate::{EngineError, TenantId};

/// Places for jobs that run or wait.
pub(super) struct Places {
    /// Most places of one tenant. Who is nobody in particular may have all.
    most_per_tenant: usize,
    state: Mutex<State>,
}

struct State {
    free: usize,
    taken: BTreeMap<TenantId, usize>,
    /// Why no more are given out.
    closed: Option<&'static str>,
}

/// The engine's thread has ended without saying why.
const ENDED: &str = "engine.ended";

/// A place; free again when dropped.
pub(super) struct Place {
    places: Arc<Places>,
    tenant: TenantId,
}

impl Places {
    pub(super) fn new(places: usize, most_per_tenant: usize) -> Self {
        Self {
            most_per_tenant,
            state: Mutex::new(State {
                free: places,
                taken: BTreeMap::new(),
                closed: None,
            }),
        }
    }

    /// A place for a job of `tenant`, if there is one that this tenant may have.
    pub(super) fn take(self: &Arc<Self>, tenant: TenantId) -> Result<Place, EngineError> {
        let mut state = self.state();
        if state.closed.is_some() {
            return Err(EngineError::Stopped);
        }
        let taken = state.taken.get(&tenant).copied().unwrap_or(0);
        let named = tenant != TenantId::default();
        if state.free == 0 || (named && taken >= self.most_per_tenant) {
            return Err(EngineError::Busy);
        }
        state.free -= 1;
        state.taken.insert(tenant, taken + 1);
        let places = Arc::clone(self);
        Ok(Place { places, tenant })
    }

    /// How many are free now.
    pub(super) fn free(&self) -> usize {
        let state = self.state();
        match state.closed {
            Some(_) => 0,
            None => state.free,
        }
    }

    /// Gives out no more; `failure` says why. The first reason stays.
    pub(super) fn fail(&self, failure: &'static str) {
        self.state().closed.get_or_insert(failure);
    }

    /// Why no more are given out, if so.
    pub(super) fn failure(&self) -> Option<&'static str> {
        self.state().closed
    }

    fn give_back(&self, tenant: TenantId) {
        let mut state = self.state();
        state.free += 1;
        let taken = state.taken.entry(tenant).or_insert(1);
        *taken = taken.saturating_sub(1);
        if *taken == 0 {
            state.taken.remove(&tenant);
        }
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        self.places.give_back(self.tenant);
    }
}

/// Says that the engine has stopped, also when its thread panics.
pub(super) struct CloseOnDrop(pub(super) Arc<Places>);

impl Drop for CloseOnDrop {
    fn drop(&mut self) {
        self.0.fail(ENDED);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const ONE: TenantId = TenantId([1; 32]);
    const OTHER: TenantId = TenantId([2; 32]);

    #[test]
    fn no_tenant_takes_all_places() {
        let places = Arc::new(Places::new(4, 2));
        let held = [places.take(ONE).unwrap(), places.take(ONE).unwrap()];
        assert_eq!(places.take(ONE).err(), Some(EngineError::Busy));
        let others = [places.take(OTHER).unwrap(), places.take(OTHER).unwrap()];
        assert_eq!(
            (places.free(), places.take(TenantId([3; 32])).err()),
            (0, Some(EngineError::Busy))
        );
        drop(held);
        assert!(places.take(ONE).is_ok());
        drop(others);
        assert_eq!(places.free(), 4);
        assert!(places.state().taken.is_empty(), "nobody is remembered");
    }

    #[test]
    fn nobody_in_particular_may_have_all_places() {
        let places = Arc::new(Places::new(4, 2));
        let all: Vec<_> = (0..4)
            .map(|_| places.take(TenantId::default()).unwrap())
            .collect();
        assert_eq!((all.len(), places.free()), (4, 0));
    }

    #[test]
    fn closed_places_are_not_given_out() {
        let places = Arc::new(Places::new(1, 1));
        assert_eq!(places.failure(), None);
        places.fail("gpu.execution");
        drop(CloseOnDrop(Arc::clone(&places)));
        assert_eq!(places.failure(), Some("gpu.execution"), "the first reason");
        assert_eq!(places.free(), 0);
        assert_eq!(places.take(ONE).err(), Some(EngineError::Stopped));
    }
}
