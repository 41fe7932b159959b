//! The CUDA kernels on this machine's processor: builds `kernels/cuda` once with a C++ compiler (`CXX`, else `c++`) and calls it.
//!
//! Another crate's tests take it in with `#[path = "../../kernels/tests/cuda_cpu/mod.rs"] mod cuda_cpu;`; they need crates
//! `libc` and `sha2`.
#![allow(
    dead_code,
    unreachable_pub,
    unused_imports,
    unsafe_code,
    clippy::disallowed_methods,
    clippy::panic,
    clippy::unwrap_used,
    clippy::indexing_slicing,
    reason = "each test file uses its part of this; it calls C, and asks the environment for the compiler"
)]

mod build;
mod library;
mod memory;

pub use library::{Arguments, Fault, Library, Shape, in_both_orders, library};
pub use memory::Memory;
