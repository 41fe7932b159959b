//! Everything that a client does but the sockets: judges nodes by the user's signed policy, seals to those that it admits, opens their
//! answers and checks their receipts. Pure and sans-I/O: bytes and times in, the next HTTP call out.
//!
//! ```text
//! Session ── start(Request) ──► Flow ── Call ──► (the caller's HTTP) ── head, body | failed ──► Flow ── .. ──► Exchange
//! ```
//! One [`Session`] belongs to one gateway and one policy. A [`Flow`] is one request: it says which call is next (offers, challenge, keys,
//! relay) until an answer begins; the [`Exchange`] then opens that answer as it comes.

mod admission;
mod call;
mod error;
mod exchange;
mod failure;
mod flow;
mod memory;
mod node;
pub mod offer;
mod problem;
mod public_key;
pub mod receipt_json;
mod request;
mod served;
mod session;
mod sse;
mod trace;

pub use admission::Admission;
pub use call::{Call, Reading};
pub use error::SessionError;
pub use exchange::{Event, Exchange, Head, MAX_COLLECTED_BYTES};
pub use failure::Failure;
pub use flow::{Flow, Notice};
pub use memory::{Memory, MemoryError, Seen};
pub use node::{AdmittedNode, NodeError};
pub use offer::{Offer, OffersError};
pub use policy::publication::{INVENTORY, ORDERS, POLICY, ROOTS, TIMESTAMP};
pub use request::{Request, RequestId};
pub use served::Served;
pub use session::{Beside, Composition, Random, Session, Settings};
