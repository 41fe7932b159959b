//! In-flight limits: a slot in total and one per node for each exchange, given back when the exchange is over. Nothing queues.

use crate::problem::Problem;
use prometheus_client::metrics::gauge::Gauge;
use std::sync::Arc;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

/// A number of exchanges that may be under way at once.
#[derive(Clone, Debug)]
pub(crate) struct Slots {
    free: Arc<Semaphore>,
    capacity: usize,
}

impl Slots {
    pub(crate) fn new(capacity: usize) -> Self {
        Self {
            free: Arc::new(Semaphore::new(capacity)),
            capacity,
        }
    }

    /// A slot, or the refusal that tells the peer to come back.
    pub(crate) fn take(&self) -> Result<OwnedSemaphorePermit, Problem> {
        Arc::clone(&self.free)
            .try_acquire_owned()
            .map_err(|_| Problem::Overloaded)
    }

    pub(crate) fn in_use(&self) -> usize {
        self.capacity.saturating_sub(self.free.available_permits())
    }
}

/// One exchange's hold on the limits; shows in the gauge for as long as it lives.
#[derive(Debug)]
pub(crate) struct Slot {
    _total: OwnedSemaphorePermit,
    _node: OwnedSemaphorePermit,
    in_flight: Gauge,
}

impl Slot {
    /// Takes both slots or none.
    pub(crate) fn take(total: &Slots, node: &Slots, in_flight: &Gauge) -> Result<Self, Problem> {
        let (total, node) = (total.take()?, node.take()?);
        in_flight.inc();
        Ok(Self {
            _total: total,
            _node: node,
            in_flight: in_flight.clone(),
        })
    }
}

impl Drop for Slot {
    fn drop(&mut self) {
        self.in_flight.dec();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn both_limits_hold_and_a_refusal_takes_nothing() {
        let (total, node, other, gauge) = (
            Slots::new(2),
            Slots::new(1),
            Slots::new(2),
            Gauge::default(),
        );
        let first = Slot::take(&total, &node, &gauge).unwrap();
        assert_eq!(
            Slot::take(&total, &node, &gauge).unwrap_err(),
            Problem::Overloaded
        );
        assert_eq!((total.in_use(), node.in_use(), gauge.get()), (1, 1, 1));
        let _second = Slot::take(&total, &other, &gauge).unwrap();
        assert_eq!(
            Slot::take(&total, &other, &gauge).unwrap_err(),
            Problem::Overloaded
        );
        drop(first);
        assert_eq!((total.in_use(), node.in_use(), gauge.get()), (1, 0, 1));
        assert!(Slot::take(&total, &node, &gauge).is_ok());
    }
}
