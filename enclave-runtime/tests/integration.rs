//! Every test of this package that needs no process of its own, in one program: each would link the same libraries again.
#![allow(
    missing_docs,
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "tests fail by panicking"
)]

mod config_test;
mod epochs_test;
#[path = "../../engine/tests/gguf_file/mod.rs"]
mod gguf_file;
mod lease_test;
#[path = "../../engine/tests/model_folder/mod.rs"]
mod model_folder;
mod model_folder_test;
mod padding_test;
mod policy_reload_test;
mod receipts_test;
mod refusals_test;
mod residency_test;
mod sealed_api_test;
mod start_policy_test;
mod stop_order_test;
mod stop_test;
mod support;
mod tenant_test;
#[path = "../../engine/tests/tiny/mod.rs"]
mod tiny;
mod tsm_test;
