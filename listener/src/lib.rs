//! One bounded accept loop for every server of ours: HTTP/1.1 in plain, HTTP/2 or HTTP/1.1 by ALPN under TLS.
//!
//! Nothing waits for ever: the TLS handshake, request headers (half sent or never sent, zero bytes on HTTP/2 too), idle connections,
//! exchanges that make no progress, and the end itself all have a limit. See [`Limits`].

mod accept;
mod activity;
pub mod body;
mod connection;
mod counters;
mod limits;
mod server;
pub mod tls;

pub use accept::Accept;
pub use body::{Body, BodyError, BoxError, read_body};
pub use connection::Peer;
pub use counters::Counters;
pub use limits::Limits;
pub use server::{Drained, Server, serve};
