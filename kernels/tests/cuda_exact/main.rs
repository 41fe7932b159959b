//! The exact CUDA operations, run on the CPU, against the functions whose bits they promise.
#![allow(
    missing_docs,
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test"
)]

#[path = "../cuda_cpu/mod.rs"]
mod cuda_cpu;

mod attend;
mod embed;
mod gate;
mod launch;
mod matmul;
mod norm;
mod pack;
mod sample;
mod turn;
mod weights;
