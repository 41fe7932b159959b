//! Every test of this package that needs no process of its own, in one program: each would link the same libraries again.
#![allow(
    missing_docs,
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "tests fail by panicking"
)]

mod azure;
mod azure_tdx;
mod cache;
mod cases;
mod ear;
mod eventlog;
mod every_bit;
mod gpu_node;
mod measure_snp;
mod measure_tdx;
mod node;
mod ocsp;
mod oracle;
#[path = "support/ovmf.rs"]
mod ovmf;
mod products;
mod rims;
mod support;
mod tdx_cases;
mod tdx_every_bit;
mod tdx_faults;
mod tdx_node;
mod tdx_oracle;
mod tdx_warm;
