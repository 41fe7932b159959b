//! The limits of one releaser.

use std::time::Duration;

/// On one HTTP/2 connection: a node asks for one thing at a time, and each may have a body of [`MAX_KEY_REQUEST_BYTES`] in memory.
///
/// [`MAX_KEY_REQUEST_BYTES`]: protocol::key_release::MAX_KEY_REQUEST_BYTES
const MAX_STREAMS: u32 = 2;

/// What a releaser grants its peers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limits {
    /// Connections open at once.
    pub max_connections: usize,
    /// Nonces answered and remembered until their time is over.
    pub max_nonces: usize,
    /// How long a nonce may be answered.
    pub nonce_lifetime: Duration,
    /// Requests of one address at once.
    pub burst: u32,
    /// One more request of an address for each of these.
    pub period: Duration,
    /// Requests whose evidence is judged at the same time.
    pub max_appraisals: usize,
    /// For a whole request body.
    pub body_timeout: Duration,
    /// For what is under way once the end has begun.
    pub drain_timeout: Duration,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            max_connections: 128,
            max_nonces: 1 << 19,
            nonce_lifetime: Duration::from_secs(60),
            burst: 20,
            period: Duration::from_secs(1),
            max_appraisals: 8,
            body_timeout: Duration::from_secs(10),
            drain_timeout: Duration::from_secs(10),
        }
    }
}

impl Limits {
    /// What the listener grants.
    pub(crate) fn listener(&self) -> listener::Limits {
        listener::Limits {
            max_connections: self.max_connections,
            max_streams: MAX_STREAMS,
            stall_timeout: self.body_timeout.saturating_mul(3),
            drain_timeout: self.drain_timeout,
            ..listener::Limits::default()
        }
    }
}
