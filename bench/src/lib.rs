//! What the benchmarks share: timing in turn, peers in processes of their own, raw signatures, evidence.

pub mod evidence;
pub mod peer;
pub mod raw;
pub mod timing;
