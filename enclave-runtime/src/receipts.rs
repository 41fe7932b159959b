//! Receipts that were signed, kept for clients that did not get theirs: who knows the request id may ask for it, inside the
//! seal (R7.6).

use protocol::SignedReceipt;
use std::{
    collections::{HashMap, VecDeque},
    sync::{Mutex, MutexGuard, PoisonError},
    time::Duration,
};
use tokio::time::Instant;

/// How long a receipt is kept, by the monotonic clock: the host cannot shorten it.
const LIFETIME: Duration = Duration::from_secs(60 * 60);

/// Names one exchange: 16 random bytes that its client chose, and whoever knows them may have its receipt.
pub(crate) type RequestId = [u8; 16];

/// The Ed25519 key of a tenant.
pub(crate) type TenantKey = [u8; 32];

/// The last receipts by request id; when full, the oldest makes room.
pub(crate) struct KeptReceipts {
    capacity: usize,
    kept: Mutex<Kept>,
}

/// No more entries in the order than in the map.
#[derive(Default)]
struct Kept {
    receipts: HashMap<RequestId, Entry>,
    oldest_first: VecDeque<RequestId>,
}

struct Entry {
    receipt: SignedReceipt,
    tenant: Option<TenantKey>,
    until: Instant,
}

impl KeptReceipts {
    /// Keeps at most `capacity`; none if it is 0.
    pub(crate) fn new(capacity: usize) -> Self {
        Self {
            capacity,
            kept: Mutex::default(),
        }
    }

    /// Keeps the receipt of request `id` from `now` on. A later one of the same id (a request that was sealed again) takes its place.
    pub(crate) fn keep(
        &self,
        id: RequestId,
        receipt: SignedReceipt,
        tenant: Option<TenantKey>,
        now: Instant,
    ) {
        let entry = Entry {
            receipt,
            tenant,
            until: now + LIFETIME,
        };
        let mut kept = self.lock();
        kept.insert(id, entry);
        while kept.has_to_go(now, self.capacity) {
            kept.forget_oldest();
        }
    }

    /// The receipt of request `id`, if it is still kept at `now`; one of a tenant's request for that tenant only.
    pub(crate) fn find(
        &self,
        id: &RequestId,
        tenant: Option<TenantKey>,
        now: Instant,
    ) -> Option<SignedReceipt> {
        let kept = self.lock();
        let entry = kept.receipts.get(id)?;
        let theirs = entry.tenant.is_none() || entry.tenant == tenant;
        (theirs && now < entry.until).then(|| entry.receipt.clone())
    }

    fn lock(&self) -> MutexGuard<'_, Kept> {
        self.kept.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Kept {
    fn insert(&mut self, id: RequestId, entry: Entry) {
        if self.receipts.insert(id, entry).is_some() {
            self.oldest_first.retain(|earlier| *earlier != id);
        }
        self.oldest_first.push_back(id);
    }

    /// Whether the oldest is one too many, or over. All live equally long, so that the oldest ends first.
    fn has_to_go(&self, now: Instant, capacity: usize) -> bool {
        let oldest = self.oldest_first.front();
        let oldest = oldest.and_then(|id| self.receipts.get(id));
        oldest.is_some_and(|oldest| oldest.until <= now) || self.oldest_first.len() > capacity
    }

    fn forget_oldest(&mut self) {
        if let Some(id) = self.oldest_first.pop_front() {
            self.receipts.remove(&id);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn receipt(byte: u8) -> SignedReceipt {
        SignedReceipt::from_bytes(vec![byte])
    }

    const fn id(byte: u8) -> RequestId {
        [byte; 16]
    }

    #[test]
    fn keeps_a_receipt_for_its_time() {
        let (receipts, now) = (KeptReceipts::new(8), Instant::now());
        receipts.keep(id(1), receipt(1), None, now);
        let last = now + LIFETIME - Duration::from_nanos(1);
        assert_eq!(receipts.find(&id(1), None, last), Some(receipt(1)));
        assert_eq!(receipts.find(&id(1), None, now + LIFETIME), None);
        assert_eq!(receipts.find(&id(2), None, now), None);
    }

    #[test]
    fn what_is_over_is_forgotten_when_another_comes() {
        let (receipts, now) = (KeptReceipts::new(8), Instant::now());
        receipts.keep(id(1), receipt(1), None, now);
        receipts.keep(id(2), receipt(2), None, now + LIFETIME);
        let kept = receipts.lock();
        assert_eq!((kept.receipts.len(), kept.oldest_first.len()), (1, 1));
    }

    #[test]
    fn the_oldest_makes_room() {
        let (receipts, now) = (KeptReceipts::new(2), Instant::now());
        for byte in 1..=3 {
            receipts.keep(id(byte), receipt(byte), None, now);
        }
        assert_eq!(receipts.find(&id(1), None, now), None);
        assert_eq!(receipts.find(&id(2), None, now), Some(receipt(2)));
        assert_eq!(receipts.find(&id(3), None, now), Some(receipt(3)));
    }

    #[test]
    fn a_request_that_was_sealed_again_has_one_receipt_the_later() {
        let (receipts, now) = (KeptReceipts::new(2), Instant::now());
        receipts.keep(id(1), receipt(1), None, now);
        receipts.keep(id(2), receipt(2), None, now);
        receipts.keep(id(1), receipt(3), None, now);
        assert_eq!(receipts.find(&id(1), None, now), Some(receipt(3)));
        receipts.keep(id(4), receipt(4), None, now);
        assert_eq!(receipts.find(&id(2), None, now), None, "now the oldest");
        assert_eq!(receipts.find(&id(1), None, now), Some(receipt(3)));
    }

    #[test]
    fn a_tenants_receipt_is_for_that_tenant() {
        let (receipts, now) = (KeptReceipts::new(8), Instant::now());
        receipts.keep(id(1), receipt(1), Some([1; 32]), now);
        assert_eq!(receipts.find(&id(1), None, now), None);
        assert_eq!(receipts.find(&id(1), Some([2; 32]), now), None);
        assert!(receipts.find(&id(1), Some([1; 32]), now).is_some());
        receipts.keep(id(2), receipt(2), None, now);
        assert!(receipts.find(&id(2), Some([1; 32]), now).is_some());
    }

    #[test]
    fn none_are_kept_where_none_may_be() {
        let (receipts, now) = (KeptReceipts::new(0), Instant::now());
        receipts.keep(id(1), receipt(1), None, now);
        assert_eq!(receipts.find(&id(1), None, now), None);
    }
}
