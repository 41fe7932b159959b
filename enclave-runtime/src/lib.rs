//! The part inside the TEE: makes its identity in memory, gets evidence for it from the platform, opens sealed requests, serves the
//! OpenAI API inside the seal only, and signs a receipt for every answer. Anything unsealed is refused.

pub mod clock;
pub mod config;
pub mod evidence;
pub mod follow;
pub mod harden;
pub mod limits;
pub mod model_key;
pub mod runtime;
pub mod sealed;
pub mod secret_memory;
pub mod shutdown;
pub mod telemetry;
pub mod wipe;

mod account;
mod answer;
mod beat;
mod bindings;
mod challenge;
mod embed;
mod envelope;
mod epochs;
mod exchange;
mod generate;
mod http;
mod itself;
mod leash;
mod node;
mod obeyed;
mod outgoing;
mod problem;
mod receipts;
mod standing;
mod steps;

pub use clock::Clock;
pub use config::{Config, ConfigError};
pub use evidence::{EvidenceSettings, Platform, discover};
pub use follow::follow;
pub use harden::{HardenError, harden};
pub use limits::Limits;
pub use runtime::{Obedience, Parts, Runtime, StartError};
pub use secret_memory::{PageKind, SecretPages};
pub use shutdown::StopSignals;
pub use standing::NotObeyed;
pub use wipe::WipingAllocator;
