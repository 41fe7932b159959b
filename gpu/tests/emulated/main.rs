//! The decoder of this crate on an emulated device: the kernels' own sources, run on the CPU.
#![allow(
    missing_docs,
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test"
)]

#[path = "../../../kernels/tests/cuda_cpu/mod.rs"]
mod cuda_cpu;
#[path = "../../../engine/tests/gguf_file/mod.rs"]
mod gguf_file;
#[path = "../../../engine/tests/model_folder/mod.rs"]
mod model_folder;
#[path = "../../../sealed-model/tests/model/mod.rs"]
mod sealed_place;
#[path = "../../../enclave-runtime/src/sealed/source.rs"]
mod source;
#[path = "../../../engine/tests/tiny/mod.rs"]
mod tiny;

mod decipher;
mod device;
mod families;
mod fast;
mod fast_self_test;
mod folder;
mod formats;
mod scheduler;
mod self_test;
