//! Every test of this package that needs no process of its own, in one program: each would link the same libraries again.
#![allow(
    missing_docs,
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "tests fail by panicking"
)]

mod admission;
mod document;
mod exceptions;
mod gpu_code;
mod gpu_rules;
mod inventory;
mod lint;
mod node;
mod node_rules;
mod orders;
mod publication;
mod reasons;
mod rego;
mod root;
mod service_tables;
mod signature;
mod snp_rules;
mod succession;
mod support;
mod tdx_and_gpu;
mod tdx_rules;
mod tenants;
mod timestamp;
