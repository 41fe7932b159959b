//! The fast operations are as near to the exact result as stated with each test, and a row's bits do not depend on its company.
#![cfg(all(target_os = "linux", target_env = "gnu"))]
#![allow(
    missing_docs,
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::too_many_arguments,
    reason = "tests"
)]

mod cuda_cpu;

#[path = "cuda_fast/attend.rs"]
mod attend;
#[path = "cuda_fast/norm.rs"]
mod norm;
#[path = "cuda_fast/products.rs"]
mod products;
#[path = "cuda_fast/turn.rs"]
mod turn;

use half::bf16;

/// Values between -1 and 1 that look random, the same for the same seed.
fn values(seed: u64, len: usize) -> Vec<f32> {
    let mut state = seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1;
    let mut next = || {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        (state >> 40) as f32 / (1 << 23) as f32 - 1.0
    };
    (0..len).map(|_| next()).collect()
}

/// The bits of the nearest bf16 of each.
fn rounded(values: &[f32]) -> Vec<u16> {
    let bits = values.iter().map(|value| bf16::from_f32(*value).to_bits());
    bits.collect()
}

fn widened(bits: u16) -> f64 {
    f64::from(bf16::from_bits(bits).to_f32())
}
