//! Every test of this package that needs no process of its own, in one program: each would link the same libraries again.
#![allow(
    missing_docs,
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "tests fail by panicking"
)]

mod aibom;
mod collateral;
mod command;
mod ear;
mod exchange;
mod fake;
#[path = "../../engine/tests/gguf_file/mod.rs"]
mod gguf_file;
mod html;
mod many_nodes;
mod measure;
mod model;
#[path = "../../engine/tests/model_folder/mod.rs"]
mod model_folder;
mod narthex;
mod policy_folder;
mod policy_import;
mod policy_reload;
mod policy_signing;
mod policy_simulate;
mod policy_source;
mod policy_token;
mod policy_tools;
mod proxy;
mod receipt_fetch;
mod replay;
mod residency;
mod simulated;
mod team;
#[path = "../../engine/tests/tiny/mod.rs"]
mod tiny;
mod verdict;
mod verify_azure;
mod verify_nvidia;
mod verify_snp;
mod verify_tdx;
