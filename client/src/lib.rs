//! The client of a Narthex gateway: judges a node by the user's own policy, seals requests to it, opens and checks its answers.
//!
//! [`Client`] is the library; [`cli`] is the `narthex` command. Nothing here prints except the one output module of [`cli`].

mod admissions;
mod alarm;
mod appraisal;
mod archive;
mod attester;
pub mod check;
pub mod cli;
mod client;
mod error;
mod exchange;
mod fleet;
mod follow;
pub mod gateway;
mod judging;
mod nodes;
mod problem;
pub mod proxy;
mod publication;
mod random;
mod receipt_check;
mod request;
pub mod seen_policies;
mod settings;
mod sse;
mod tls;
mod trace;
mod transport;
mod verdict;

pub use check::{Check, Event, Observer, Outcome};
pub use client::{Client, FetchedReceipt, Judge};
pub use error::ClientError;
pub use exchange::{Answer, Exchange, MAX_COLLECTED_BYTES};
pub use follow::{PolicyUpdates, UpdatesFrom};
pub use gateway::{ApiKey, Gateway, GatewayUrl, Roots};
pub use provision::{Clock, Connector, SystemClock};
pub use request::{Request, RequestId};
pub use seen_policies::SeenPolicies;
pub use session::AdmittedNode;
pub use settings::{Settings, TenantKey, Verdicts};
