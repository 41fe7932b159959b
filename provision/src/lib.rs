//! What the binaries keep on disk and current: policies, their keys, what of them was obeyed; what they fetch: collateral; and how they connect.
//!
//! The only shared crate with disk, clock and network. It reads no environment; every path is the caller's, every error names its file.

pub mod clock;
pub mod collateral;
pub mod connector;
pub mod file;
pub mod https;
pub mod policy_clock;
pub mod policy_keeper;
mod policy_store;
pub mod public_key;
pub mod signing_key;

pub use clock::{Clock, SystemClock};
pub use connector::Connector;
pub use file::FileError;
pub use https::{Https, HttpsError};
pub use policy_clock::PolicyClock;
pub use policy_keeper::{
    PolicyKeeper, PolicyKeeperError, PolicySettings, PolicySource, Refreshed, RootSource,
};
pub use policy_store::StoreError;
pub use public_key::{PublicKeyError, read_trust_root};
pub use signing_key::{SigningKey, SigningKeyError};
