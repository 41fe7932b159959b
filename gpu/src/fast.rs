//! The fast arithmetic: weights, activations, keys and values in bf16, sums in f32, in orders of its own.
//!
//! No row's bits depend on the other rows of a step, on how many there are, or on how a prompt is cut into pieces of several tokens.
//! Single tokens, as all of an answer but its prompt are, are computed by other operations than several of a sequence at once: a prompt
//! that is left with a piece of one token may have other bits.

mod attention;
mod bf16;
mod matrix;
mod noise;
mod plan;
mod product;
mod rows;

pub(crate) use attention::{FastAttend, FastAttendParts, FastHeads, Parts};
pub(crate) use bf16::{VALUE_BYTES, bytes as bf16_bytes};
pub(crate) use matrix::FastMatrix;
pub(crate) use noise::noise_weights;
pub(crate) use plan::FastPlan;
pub(crate) use product::{FastMultiply, Kernel};
pub(crate) use rows::{FastEmbed, FastGate, FastNorm, FastTurn};

use engine::model::ModelConfig;

use crate::DeviceError;

/// Query heads that share a key-value head at most, for single tokens.
const MOST_SHARED: usize = 16;

/// Refuses models that there are no operations for.
pub(crate) fn check(config: &ModelConfig) -> Result<(), DeviceError> {
    let rules = [
        (!config.family.has_post_norms(), "norms behind a branch"),
        (!config.family.has_gelu_gate(), "a GELU gate"),
        (
            matches!(config.head_width, 64 | 128),
            "heads that are neither 64 nor 128 wide",
        ),
        (
            config.heads <= MOST_SHARED * config.kv_heads,
            "more than 16 query heads for a key-value head",
        ),
    ];
    match rules.into_iter().find(|(holds, _)| !holds) {
        Some((_, what)) => Err(DeviceError::UnsupportedModel(what)),
        None => Ok(()),
    }
}

#[cfg(test)]
mod tests;
