//! Every test of this package that needs no process of its own, in one program: each would link the same libraries again.
#![allow(
    missing_docs,
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "tests fail by panicking"
)]

mod collateral_fetch;
mod collateral_recorded;
mod keys;
mod policy_keeper;
mod policy_refused;
mod policy_server;
mod support;
