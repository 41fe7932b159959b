//! Tensor operations, one folder per operation: contract, scalar reference, AVX2 and AVX-512 launchers, parity test side by side.
//!
//! Every operation gives the same bits on every path ([`Isa`]), for any number of threads and any number of tokens
//! at once. That holds because each sum has one order, which is part of its contract: sixteen lanes, each lane in
//! index order with fused multiply-adds, then [`lanes::sum`]; work is split over rows, tokens and heads, never over a sum.
//! Weights are finite. Activations need not be: an infinite value or one that is no number makes everything that is computed from it no
//! number, on every path, so that a decoder's logits tell of it ([`quantize`], [`attention`]); nothing panics over it.
//!
//! Wrong lengths are mistakes of the calling code, never of input: the operations panic on them.

mod digest;
mod huge_pages;
mod isa;
pub mod lanes;
mod pool;

pub mod attention;
pub mod bias;
pub mod cubin;
pub mod exp;
pub mod gelu;
pub mod gelu_mul;
pub mod layer_norm;
pub mod matmul;
pub mod quantize;
pub mod rms_norm;
pub mod rope;
pub mod silu_mul;
pub mod weigh;

pub use digest::digest;
pub use isa::{Isa, IsaName, UnknownIsa};
pub use pool::Pool;
