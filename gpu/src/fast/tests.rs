use engine::model::{Family, RopePairs};

use super::*;

const LLAMA: ModelConfig = ModelConfig {
    family: Family::Llama,
    context_tokens: 64,
    vocabulary: 96,
    layers: 1,
    width: 128,
    heads: 2,
    kv_heads: 1,
    head_width: 64,
    ffn_width: 192,
    rms_epsilon: 1e-5,
    rope_base: 10_000.0,
    rope_factor: 1.0,
    rope_pairs: RopePairs::Neighbours,
    sliding: None,
};

#[test]
fn models_without_operations_are_refused() {
    assert_eq!(check(&LLAMA), Ok(()));
    let gemma = ModelConfig {
        family: Family::Gemma3,
        ..LLAMA
    };
    let narrow = ModelConfig {
        head_width: 48,
        ..LLAMA
    };
    let shared = ModelConfig { heads: 17, ..LLAMA };
    for (config, what) in [
        (gemma, "norms behind a branch"),
        (narrow, "heads that are neither 64 nor 128 wide"),
        (shared, "more than 16 query heads for a key-value head"),
    ] {
        let refused = check(&config).unwrap_err();
        assert_eq!(refused, DeviceError::UnsupportedModel(what));
        assert_eq!(refused.code(), "gpu.unsupported_model");
    }
}
