//! The limits of one runtime, each with a default.

use std::time::Duration;

/// What one runtime grants its peers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limits {
    /// Connections open at once.
    pub max_connections: usize,
    /// Sealed requests under way at once; one more is answered 503.
    pub max_in_flight: usize,
    /// Challenges that wait for the next quote at once; one more is answered 503. One quote answers all of them.
    pub max_challenges: usize,
    /// Largest request body inside the seal, in bytes; stated in the manifest.
    pub max_request_bytes: u32,
    /// Envelopes that one key epoch can tell from replays; when full, the epoch ends and the next begins.
    pub replay_capacity: usize,
    /// Attestations honoured at once; when full, the oldest makes room.
    pub max_bindings: usize,
    /// Receipts kept for clients that did not get theirs; when full, the oldest makes room.
    pub kept_receipts: usize,
    /// Validity of one signed key list; the next epoch begins when half of it is over.
    pub key_window: Duration,
    /// How long an epoch still opens envelopes once its list has expired.
    pub key_grace: Duration,
    /// Longest time for an envelope to arrive.
    pub envelope_timeout: Duration,
    /// Longest time for an answer to be made.
    pub answer_timeout: Duration,
    /// Time between two flushes of a padded stream.
    pub flush_interval: Duration,
    /// Time that answers under way get once the runtime was told to stop.
    pub drain_timeout: Duration,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            max_connections: 512,
            max_in_flight: 64,
            max_challenges: 1024,
            max_request_bytes: 4 * 1024 * 1024,
            replay_capacity: 1_000_000,
            max_bindings: 4096,
            kept_receipts: 4096,
            key_window: Duration::from_secs(20 * 60),
            key_grace: Duration::from_secs(60),
            envelope_timeout: Duration::from_secs(30),
            answer_timeout: Duration::from_secs(300),
            flush_interval: Duration::from_millis(60),
            drain_timeout: Duration::from_secs(30),
        }
    }
}
