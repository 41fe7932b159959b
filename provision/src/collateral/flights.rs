//! Of equal requests at the same time one goes out; the others wait for its answer, be it an error.

use futures_util::{
    FutureExt as _,
    future::{BoxFuture, Shared},
};
use std::{
    collections::HashMap,
    sync::{Mutex, MutexGuard, PoisonError},
};

/// Requests under way, by key.
pub(super) struct Flights<T: Clone>(Mutex<HashMap<[u8; 32], Shared<BoxFuture<'static, T>>>>);

impl<T: Clone> Default for Flights<T> {
    fn default() -> Self {
        Self(Mutex::default())
    }
}

impl<T: Clone + Send + Sync + 'static> Flights<T> {
    /// Joins the request of `key` that is under way, or makes it.
    pub(super) async fn join(
        &self,
        key: [u8; 32],
        make: impl FnOnce() -> BoxFuture<'static, T>,
    ) -> T {
        let flight = self
            .lock()
            .entry(key)
            .or_insert_with(|| make().shared())
            .clone();
        let outcome = flight.clone().await;
        self.land(key, &flight);
        outcome
    }

    /// Forgets `flight`, unless another of the same key is under way already.
    fn land(&self, key: [u8; 32], flight: &Shared<BoxFuture<'static, T>>) {
        let mut flights = self.lock();
        if flights.get(&key).is_some_and(|other| other.ptr_eq(flight)) {
            flights.remove(&key);
        }
    }

    fn lock(&self) -> MutexGuard<'_, HashMap<[u8; 32], Shared<BoxFuture<'static, T>>>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::Flights;
    use futures_util::{FutureExt as _, future::join_all};
    use std::sync::{
        Arc,
        atomic::{AtomicU32, Ordering},
    };

    #[tokio::test]
    async fn equal_requests_fly_once_and_fly_again_afterwards() {
        let (flights, made) = (Flights::default(), Arc::new(AtomicU32::new(0)));
        let fly = |key: u8| {
            let made = Arc::clone(&made);
            flights.join([key; 32], move || {
                async move {
                    // Longer than it takes the others to join.
                    for _ in 0..10 {
                        tokio::task::yield_now().await;
                    }
                    made.fetch_add(1, Ordering::SeqCst)
                }
                .boxed()
            })
        };
        let answers = join_all([fly(1), fly(1), fly(1)]).await;
        assert_eq!(answers, [0, 0, 0]);
        assert_eq!(fly(1).await, 1);
        let mut different = join_all([fly(1), fly(2)]).await;
        different.sort_unstable();
        assert_eq!(different, [2, 3]);
        assert!(flights.lock().is_empty());
    }
}
