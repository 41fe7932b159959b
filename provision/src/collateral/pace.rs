//! How long to wait before a request is made again.

use futures_util::future::BoxFuture;
use std::time::Duration;

/// Requests made for one item, the first included.
pub(super) const MAX_ATTEMPTS: u32 = 5;
/// Before the second request, on average three quarters of it.
const FIRST: Duration = Duration::from_millis(500);
const LONGEST: Duration = Duration::from_secs(16);
/// Longest `Retry-After` that is waited for; beyond it the caller is told.
const LONGEST_ASKED_FOR_S: u64 = 120;

/// Waiting and chance, for those who retry.
pub trait Pace: Send + Sync {
    /// Any number.
    fn random(&self) -> u64;
    /// Resolves after `duration`.
    fn sleep(&self, duration: Duration) -> BoxFuture<'static, ()>;
}

/// The system's.
#[derive(Clone, Copy, Debug, Default)]
pub struct SystemPace;

impl Pace for SystemPace {
    /// Without a generator the pauses are regular, no more.
    fn random(&self) -> u64 {
        let mut bytes = [0; 8];
        let filled = aws_lc_rs::rand::fill(&mut bytes);
        filled.map_or(0, |()| u64::from_le_bytes(bytes))
    }

    fn sleep(&self, duration: Duration) -> BoxFuture<'static, ()> {
        Box::pin(tokio::time::sleep(duration))
    }
}

/// The pause after failed request number `attempt` (from 1): what the service asked for, or a half to a whole of twice the pause
/// before. `None`: not worth waiting.
pub(super) fn pause(attempt: u32, retry_after_s: Option<u64>, random: u64) -> Option<Duration> {
    if attempt >= MAX_ATTEMPTS {
        return None;
    }
    let doublings = 1_u32
        .checked_shl(attempt.saturating_sub(1))
        .unwrap_or(u32::MAX);
    let whole = FIRST.saturating_mul(doublings).min(LONGEST);
    let half = whole / 2;
    let jitter_ms = random % (u64::try_from(half.as_millis()).unwrap_or(u64::MAX) + 1);
    let own = half + Duration::from_millis(jitter_ms);
    match retry_after_s {
        Some(seconds) if seconds > LONGEST_ASKED_FOR_S => None,
        Some(seconds) => Some(own.max(Duration::from_secs(seconds))),
        None => Some(own),
    }
}

#[cfg(test)]
mod tests {
    use super::{LONGEST, MAX_ATTEMPTS, pause};
    use std::time::Duration;

    #[test]
    fn pauses_double_and_end() {
        let least: Vec<_> = (1..=MAX_ATTEMPTS)
            .map(|attempt| pause(attempt, None, 0))
            .collect();
        let milliseconds = |ms| Some(Duration::from_millis(ms));
        let doubling = [250, 500, 1000, 2000].map(milliseconds);
        assert_eq!(least, [&doubling[..], &[None]].concat());
    }

    #[test]
    fn jitter_stays_within_the_upper_half() {
        for random in [0, 1, 249, 250, 251, 12_345_678, u64::MAX] {
            let pause = pause(1, None, random).unwrap();
            assert!(pause >= Duration::from_millis(250) && pause <= Duration::from_millis(500));
        }
        assert!(pause(4, None, u64::MAX).unwrap() <= LONGEST);
    }

    #[test]
    fn what_the_service_asks_for_is_waited_for_within_reason() {
        assert_eq!(pause(1, Some(7), 0), Some(Duration::from_secs(7)));
        assert_eq!(pause(1, Some(0), 0), Some(Duration::from_millis(250)));
        assert_eq!(pause(1, Some(3600), 0), None);
        assert_eq!(pause(MAX_ATTEMPTS, Some(1), 0), None);
    }
}
