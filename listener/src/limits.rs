//! The limits of one server, each with a default that is safe in front of the open network.

use std::time::Duration;

/// What one server grants its peers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limits {
    /// Connections open at once; one more is closed as soon as it is accepted.
    pub max_connections: usize,
    /// HTTP/2 streams open at once on one connection.
    pub max_streams: u32,
    /// Longest TLS handshake.
    pub handshake_timeout: Duration,
    /// Longest time for a request's headers; on HTTP/1.1 also the longest idle keep-alive, on HTTP/2 the time to the first request.
    pub header_timeout: Duration,
    /// Longest time between the end of one exchange and the next on an HTTP/2 connection.
    pub idle_timeout: Duration,
    /// Longest time in which no exchange of a connection starts, answers or hands over a part of its answer. Must exceed the slowest
    /// wait for a first byte.
    pub stall_timeout: Duration,
    /// Time that exchanges get to finish once the server was told to stop; what is left then is cut.
    pub drain_timeout: Duration,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            max_connections: 512,
            max_streams: 64,
            handshake_timeout: Duration::from_secs(10),
            header_timeout: Duration::from_secs(10),
            idle_timeout: Duration::from_secs(60),
            stall_timeout: Duration::from_secs(300),
            drain_timeout: Duration::from_secs(30),
        }
    }
}
