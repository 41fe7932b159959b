//! Holds the keys of sealed models, and releases one to a node that proves what it runs: its evidence is verified and judged under a signed
//! policy as at the gateway, and the key is sealed to what the evidence binds (docs/key-release.md).

pub mod config;
pub mod daemon;
mod hardening;
mod key_folder;
mod limits;
mod nonces;
mod problem;
mod rate;
mod release;
mod releaser;
mod routes;
pub mod telemetry;

pub use config::{Config, ConfigError};
pub use hardening::harden;
pub use key_folder::{KeyFolder, KeyFolderError};
pub use limits::Limits;
pub use nonces::NonceError;
pub use release::Refused;
pub use releaser::{Releaser, follow};
