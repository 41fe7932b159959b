//! Stop and start orders: a log that only grows, replayed from its first order (docs/policy-documents.md, "Orders").

mod error;
mod order;
mod target;

pub use error::OrderError;
pub use order::{Action, MAX_ORDER_BYTES, Order};
pub use target::Target;

use crate::{Envelope, HardwareId, PayloadType, PolicyError, Root};
use attestation::{Digest, UnixTime};
use std::collections::BTreeMap;

/// Most orders of a log.
pub const MAX_ORDERS: usize = 4096;

/// Why a target is stopped.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Stopped {
    /// The order that stopped it.
    pub serial: u64,
    /// When it was issued.
    pub issued: UnixTime,
    /// Its `reason`.
    pub reason: String,
}

/// What all orders of a log together say.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Orders {
    /// That of the order with serial 1, then 2 and so on.
    digests: Vec<Digest>,
    latest: Option<UnixTime>,
    stopped: BTreeMap<Target, Stopped>,
}

impl Orders {
    /// Nothing was ever ordered.
    #[must_use]
    pub fn none() -> Self {
        Self::default()
    }

    /// Replays a log: serials 1, 2, 3 .., each naming the digest of the one before, stops signed by the role `stop`, starts by `start`.
    pub fn replay(log: &[Envelope], root: &Root) -> Result<Self, Vec<PolicyError>> {
        let mut orders = Self::none();
        for envelope in log {
            orders.obey(envelope, root)?;
        }
        Ok(orders)
    }

    /// What `orders` say, as if those who may had signed them: for trials, which admit nothing.
    pub(crate) fn supposing(log: &[Order]) -> Result<Self, PolicyError> {
        let mut orders = Self::none();
        for order in log {
            orders.follows(order)?;
            orders.apply(order, u64::MAX);
        }
        Ok(orders)
    }

    /// Obeys the next order of the log; an order that is refused changes nothing.
    pub fn obey(&mut self, envelope: &Envelope, root: &Root) -> Result<(), Vec<PolicyError>> {
        self.obey_named(envelope, root, u64::MAX)
    }

    /// As [`Self::obey`], where a timestamp names the orders up to serial `named`: a later start is kept and takes no effect yet. Whoever
    /// withholds the policy that it was published with would else let things start under the old one. A stop never waits.
    pub(crate) fn obey_named(
        &mut self,
        envelope: &Envelope,
        root: &Root,
        named: u64,
    ) -> Result<(), Vec<PolicyError>> {
        let order = Order::from_toml(envelope.unverified(PayloadType::Order).map_err(refused)?)?;
        let keys = root.required(order.action().role()).map_err(refused)?;
        envelope.open(PayloadType::Order, keys).map_err(refused)?;
        self.follows(&order).map_err(refused)?;
        self.apply(&order, named);
        Ok(())
    }

    /// The serial of the last order; 0 without any.
    #[must_use]
    pub const fn serial(&self) -> u64 {
        self.digests.len() as u64
    }

    /// SHA-256 of the last order's document; zero without any.
    #[must_use]
    pub fn digest(&self) -> &Digest {
        self.digests.last().unwrap_or(&[0; 32])
    }

    /// SHA-256 of the document of the order with this serial.
    #[must_use]
    pub fn digest_of(&self, serial: u64) -> Option<&Digest> {
        let index = usize::try_from(serial.checked_sub(1)?).ok()?;
        self.digests.get(index)
    }

    /// `issued` of the last order; `None` without any.
    #[must_use]
    pub const fn latest(&self) -> Option<UnixTime> {
        self.latest
    }

    /// Why `target` itself is stopped; [`Target::Everything`] is a target of its own.
    #[must_use]
    pub fn stopped(&self, target: &Target) -> Option<&Stopped> {
        self.stopped.get(target)
    }

    /// The first order that stops a chip or a site: a CPU that does not tell its identifier may be what it means.
    #[must_use]
    pub fn of_unknown_place(&self) -> Option<&Stopped> {
        let is_place = |target: &Target| {
            matches!(
                target,
                Target::Hardware(HardwareId::SnpChip(_)) | Target::Site(_)
            )
        };
        let stopped = self.stopped.iter().find(|(target, _)| is_place(target));
        stopped.map(|(_, stopped)| stopped)
    }

    /// Whether anything at all is stopped.
    #[must_use]
    pub fn stops_nothing(&self) -> bool {
        self.stopped.is_empty()
    }

    /// Everything that is stopped.
    pub fn iter(&self) -> impl Iterator<Item = (&Target, &Stopped)> {
        self.stopped.iter()
    }

    fn follows(&self, order: &Order) -> Result<(), OrderError> {
        if self.digests.len() >= MAX_ORDERS {
            return Err(OrderError::TooMany);
        }
        let (expected, serial) = (self.serial() + 1, order.serial());
        if serial != expected {
            let found = serial;
            return Err(OrderError::Serial { expected, found });
        }
        if order.previous() != self.digests.last() {
            return Err(OrderError::Previous { serial });
        }
        let issued = order.issued();
        if self.latest.is_some_and(|latest| issued < latest) {
            return Err(OrderError::Issued { serial, issued });
        }
        Ok(())
    }

    fn apply(&mut self, order: &Order, named: u64) {
        self.digests.push(*order.digest());
        self.latest = Some(order.issued());
        for target in order.targets() {
            match order.action() {
                Action::Stop => self.stop(target, order),
                Action::Start if order.serial() <= named => drop(self.stopped.remove(target)),
                Action::Start => {}
            }
        }
    }

    fn stop(&mut self, target: &Target, order: &Order) {
        let stopped = Stopped {
            serial: order.serial(),
            issued: order.issued(),
            reason: order.reason().to_owned(),
        };
        self.stopped.insert(target.clone(), stopped);
    }
}

fn refused(error: impl Into<PolicyError>) -> Vec<PolicyError> {
    vec![error.into()]
}
