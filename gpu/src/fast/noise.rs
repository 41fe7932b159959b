//! Weights that look random: what a model costs does not depend on what it says.

use engine::model::ModelConfig;
use kernels::rope::Frequencies;

use super::FastMatrix;
use crate::{
    Device, DeviceError,
    arena::Arena,
    weights::{DeviceLayer, DeviceWeights, turns},
};

/// Weights of a plain Llama of that shape; the same ones each time.
pub(crate) fn noise_weights<D: Device>(
    arena: &mut Arena<D>,
    config: &ModelConfig,
    context_tokens: usize,
) -> Result<DeviceWeights<FastMatrix>, DeviceError> {
    let frequencies = Frequencies::new(config.rope_base, config.head_width);
    let turns = turns(&frequencies, config.head_width, context_tokens);
    let layers = (0..config.layers).map(|_| layer(arena, config));
    Ok(DeviceWeights {
        layers: layers.collect::<Result<_, _>>()?,
        embedding: matrix(arena, [config.vocabulary, config.width])?,
        output_norm: arena.floats(&vec![1.0; config.width])?,
        output: Some(matrix(arena, [config.vocabulary, config.width])?),
        turns: arena.floats(&turns)?,
        local_turns: None,
    })
}

fn layer<D: Device>(
    arena: &mut Arena<D>,
    config: &ModelConfig,
) -> Result<DeviceLayer<FastMatrix>, DeviceError> {
    let (width, queries) = (config.width, config.query_width());
    let ones = vec![1.0; width];
    Ok(DeviceLayer {
        attention_norm: arena.floats(&ones)?,
        qkv: matrix(arena, [queries + 2 * config.kv_width(), width])?,
        qkv_bias: None,
        head_norms: None,
        attention_output: matrix(arena, [width, queries])?,
        attention_post_norm: None,
        ffn_norm: arena.floats(&ones)?,
        gate_up: matrix(arena, [2 * config.ffn_width, width])?,
        down: matrix(arena, [width, config.ffn_width])?,
        ffn_post_norm: None,
    })
}

/// Values of a size that keeps sums as large as what they are made of.
fn matrix<D: Device>(
    arena: &mut Arena<D>,
    [rows, columns]: [usize; 2],
) -> Result<FastMatrix, DeviceError> {
    let (mut state, scale) = (0x9e37_79b9_u32, (3.0 / columns as f32).sqrt());
    FastMatrix::of_rows(arena, [rows, columns], |_, out| {
        for value in out {
            // Marsaglia's xorshift.
            state ^= state << 13;
            state ^= state >> 17;
            state ^= state << 5;
            *value = state.cast_signed() as f32 / 2.0_f32.powi(31) * scale;
        }
    })
}
