//! What the benchmarks share: timing in turn, peers in processes of their own, raw signatures, evidence, an admitted node.

pub mod evidence;
pub mod node;
pub mod peer;
pub mod raw;
pub mod timing;
