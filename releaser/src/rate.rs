//! How often each address may ask: so many at once, then one for each period that passes.

use std::{
    collections::HashMap,
    net::{IpAddr, Ipv6Addr},
    sync::{Mutex, PoisonError},
    time::{Duration, Instant},
};

/// Most addresses that are told apart; whoever comes while all of them ask waits.
const MAX_ADDRESSES: usize = 4096;

/// One allowance for each address, as the generic cell rate algorithm has it (ITU-T I.371).
pub(crate) struct Rates {
    burst: u32,
    period: Duration,
    /// When all of an address's burst is there again.
    whole_at: Mutex<HashMap<IpAddr, Instant>>,
}

impl Rates {
    pub(crate) fn new(burst: u32, period: Duration) -> Self {
        Self {
            burst,
            period,
            whole_at: Mutex::default(),
        }
    }

    /// Whether `address` may ask at `now`; takes one of its allowance.
    pub(crate) fn take(&self, address: IpAddr, now: Instant) -> bool {
        let mut whole_at = self.whole_at.lock().unwrap_or_else(PoisonError::into_inner);
        let asker = network(address);
        if whole_at.len() >= MAX_ADDRESSES && !whole_at.contains_key(&asker) {
            whole_at.retain(|_, at| now < *at);
            if whole_at.len() >= MAX_ADDRESSES {
                return false;
            }
        }
        let since = whole_at.get(&asker).map_or(now, |at| now.max(*at));
        let next = since + self.period;
        let is_within = next.duration_since(now) <= self.period.saturating_mul(self.burst);
        if is_within {
            whole_at.insert(asker, next);
        }
        is_within
    }
}

/// An IPv6 host has a network of 64 bits to itself.
fn network(address: IpAddr) -> IpAddr {
    match address.to_canonical() {
        IpAddr::V6(v6) => {
            let prefix = u128::from(v6) & (u128::MAX << 64);
            IpAddr::V6(Ipv6Addr::from(prefix))
        }
        v4 => v4,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::net::Ipv4Addr;

    const SECOND: Duration = Duration::from_secs(1);

    fn v4(number: u32) -> IpAddr {
        IpAddr::V4(Ipv4Addr::from(number))
    }

    #[test]
    fn a_burst_passes_and_then_one_a_period() {
        let (rates, start) = (Rates::new(2, SECOND), Instant::now());
        let at = |seconds| rates.take(v4(1), start + SECOND * seconds);
        assert_eq!([at(0), at(0), at(0)], [true, true, false]);
        assert_eq!([at(1), at(1)], [true, false]);
        assert!(rates.take(v4(2), start), "others have their own");
    }

    #[test]
    fn addresses_of_one_network_are_one_asker() {
        let (rates, now) = (Rates::new(1, SECOND), Instant::now());
        let v6 = |last: u16| IpAddr::V6(Ipv6Addr::new(0x2001, 0xdb8, 0, 1, 0, 0, 0, last));
        assert!(rates.take(v6(1), now));
        assert!(!rates.take(v6(2), now));
        assert!(rates.take("::ffff:10.0.0.1".parse().unwrap(), now));
        assert!(!rates.take("10.0.0.1".parse().unwrap(), now));
    }

    #[test]
    fn the_number_of_addresses_is_bounded() {
        let (rates, now) = (Rates::new(1, SECOND), Instant::now());
        let all = (0..MAX_ADDRESSES as u32).all(|number| rates.take(v4(number), now));
        assert!(all);
        assert!(!rates.take(v4(u32::MAX), now));
        assert!(rates.take(v4(u32::MAX), now + SECOND * 2));
    }
}
