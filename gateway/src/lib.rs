//! The untrusted middle. It appraises nodes with its own nonces, offers the admitted ones to whoever has an API key, and relays
//! envelopes as opaque streams. No type that can seal or open one is in scope (clippy.toml); it sees routing, lengths and times.

mod admin;
mod admission;
mod api_key;
mod appraisal;
pub mod config;
mod cut;
pub mod daemon;
mod gateway;
mod metrics;
mod node_name;
mod obey;
mod policy_feed;
mod problem;
mod published;
mod rate;
mod registry;
mod relay;
mod relay_body;
mod routes;
mod slots;
mod standing;
pub mod telemetry;
mod upstream;
mod verdict_report;

pub use crate::gateway::{CertificateReload, Gateway, Listeners};
pub use appraisal::AppraisalError;
pub use config::{Config, ConfigError};
pub use listener::tls::Certificate;
pub use node_name::NodeName;
pub use policy_feed::PolicyFeed;
pub use provision::{Clock, Connector, PolicyKeeperError, SystemClock};
