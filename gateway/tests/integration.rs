//! Every test of this package that needs no process of its own, in one program: each would link the same libraries again.
#![allow(
    missing_docs,
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "tests fail by panicking"
)]

mod access_test;
mod admission_test;
mod client_test;
mod command_test;
mod distribution_test;
mod orders_test;
mod policy_reload_test;
mod relay_test;
mod support;
mod verdict_test;
