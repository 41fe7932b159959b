//! Every test of this package that needs no process of its own, in one program: each would link the same libraries again.
#![allow(
    missing_docs,
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "tests fail by panicking"
)]

mod full_path;
mod nvidia;
mod report;
mod tdx_event_log;
mod tdx_oracle;
mod tdx_suite;
