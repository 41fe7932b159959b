//! What a model's shape makes a device read and multiply.

use engine::model::ModelConfig;

use crate::Work;

/// Of weights, keys and values in bf16.
const VALUE_BYTES: usize = 2;

/// Bytes that one step of decoding has to read: every matrix but the embedding, of which each sequence reads a row, and the keys and values of
/// each sequence in the middle of its answer.
pub(crate) fn step_bytes(config: &ModelConfig, work: &Work) -> f64 {
    let values = layer_weights(config) * config.layers + output_weights(config);
    let depth = work.prompt_tokens + work.answer_tokens / 2;
    let cached = 2 * config.kv_width() * config.layers * depth * work.batch;
    (VALUE_BYTES * (values + cached)) as f64
}

/// Multiplications and additions of a prompt: each matrix for each token, the output's for the last, and queries with keys and weights with
/// values of the positions up to each token's own.
pub(crate) fn prompt_operations(config: &ModelConfig, work: &Work) -> f64 {
    let tokens = work.prompt_tokens;
    let products = layer_weights(config) * config.layers * tokens + output_weights(config);
    let pairs = tokens * (tokens + 1) / 2;
    let attention = 2 * pairs * config.query_width() * config.layers;
    2.0 * (products + attention) as f64
}

fn layer_weights(config: &ModelConfig) -> usize {
    let heads = config.query_width() + 2 * config.kv_width();
    config.width * (heads + config.query_width() + 3 * config.ffn_width)
}

fn output_weights(config: &ModelConfig) -> usize {
    config.vocabulary * config.width
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Scale;

    /// Llama 3 8B has 8,030,261,248 parameters, 525,336,576 of them the embedding's and 266,240 norms'.
    #[test]
    fn the_synthetic_shape_is_that_of_an_8b_llama() {
        let config = Scale::full().shape;
        let weights = layer_weights(&config) * config.layers + output_weights(&config);
        assert_eq!(weights, 8_030_261_248 - 525_336_576 - 266_240);
        let work = Work {
            batch: 2,
            prompt_tokens: 1024,
            answer_tokens: 128,
        };
        // 128 KiB of keys and values for each position.
        let cached = 2 * 131_072 * (1024 + 64);
        assert_eq!(step_bytes(&config, &work), (2 * weights + cached) as f64);
    }

    #[test]
    fn operations_grow_with_the_tokens() {
        let config = Scale::full().shape;
        let operations = |prompt_tokens| {
            let work = Work {
                batch: 1,
                prompt_tokens,
                answer_tokens: 0,
            };
            prompt_operations(&config, &work)
        };
        let one = 2.0 * (layer_weights(&config) * 32 + output_weights(&config)) as f64;
        assert_eq!(operations(1), one + 4.0 * 4096.0 * 32.0);
        assert!(operations(2048) > 2.0 * operations(1024));
    }
}
