//! The untrusted middle. It appraises nodes with its own nonces, offers the admitted ones to whoever has an API key, and relays
//! envelopes as opaque streams. No type that can seal or open one is in scope (clippy.toml); it sees routing, lengths and times.

mod admin;
mod api_key;
mod appraisal;
pub mod config;
pub mod daemon;
mod gateway;
mod metrics;
mod node_name;
mod policy_in_force;
mod problem;
mod registry;
mod relay;
mod relay_body;
mod routes;
mod slots;
pub mod telemetry;
mod tls;
mod upstream;

pub use crate::gateway::{Gateway, Listeners};
pub use appraisal::AppraisalError;
pub use config::{Config, ConfigError};
pub use node_name::NodeName;
pub use policy_in_force::{PolicyInForceError, policy_in_force};
pub use provision::{Clock, Connector, SystemClock};
