//! Configurations written after those that are published with the models: each is read, in all its sizes.

use super::{Json, ModelError, of_json};
use crate::model::{Family, ModelConfig, RopePairs};

/// Checks what a file says of sizes and of who makes the logits; gives the factors of its rotary embedding.
fn check(file: &str, expected: &ModelConfig, tied: bool) -> Result<Option<Vec<f32>>, ModelError> {
    let read = of_json(&Json::parse(file.as_bytes())?)?;
    assert_eq!((&read.config, read.tied), (expected, tied));
    Ok(read.rope_factors)
}

/// What is the same in all of them.
const COMMON: ModelConfig = ModelConfig {
    family: Family::Llama,
    context_tokens: 0,
    vocabulary: 0,
    layers: 0,
    width: 0,
    heads: 0,
    kv_heads: 0,
    head_width: 64,
    ffn_width: 0,
    rms_epsilon: 1e-5,
    rope_base: 0.0,
    rope_factor: 1.0,
    rope_pairs: RopePairs::Halves,
    sliding: None,
};

#[test]
fn smollm2() -> Result<(), ModelError> {
    let file = include_str!("../../../tests/data/configs/smollm2-135m.json");
    let expected = ModelConfig {
        context_tokens: 8192,
        vocabulary: 49152,
        layers: 30,
        width: 576,
        heads: 9,
        kv_heads: 3,
        ffn_width: 1536,
        rope_base: 1e5,
        ..COMMON
    };
    assert_eq!(check(file, &expected, true)?, None);
    Ok(())
}

#[test]
fn llama() -> Result<(), ModelError> {
    let file = include_str!("../../../tests/data/configs/llama-3.2-1b.json");
    let expected = ModelConfig {
        context_tokens: 131_072,
        vocabulary: 128_256,
        layers: 16,
        width: 2048,
        heads: 32,
        kv_heads: 8,
        ffn_width: 8192,
        rope_base: 5e5,
        ..COMMON
    };
    let factors = check(file, &expected, true)?.unwrap_or_default();
    assert_eq!((factors.first(), factors.last()), (Some(&1.0), Some(&32.0)));
    Ok(())
}

#[test]
fn mistral() -> Result<(), ModelError> {
    let file = include_str!("../../../tests/data/configs/mistral-7b-v0.3.json");
    let expected = ModelConfig {
        context_tokens: 32768,
        vocabulary: 32768,
        layers: 32,
        width: 4096,
        heads: 32,
        kv_heads: 8,
        head_width: 128,
        ffn_width: 14336,
        rope_base: 1e6,
        ..COMMON
    };
    assert_eq!(check(file, &expected, false)?, None);
    Ok(())
}

#[test]
fn qwen2() -> Result<(), ModelError> {
    let file = include_str!("../../../tests/data/configs/qwen2.5-0.5b.json");
    let expected = ModelConfig {
        family: Family::Qwen2,
        context_tokens: 32768,
        vocabulary: 151_936,
        layers: 24,
        width: 896,
        heads: 14,
        kv_heads: 2,
        ffn_width: 4864,
        rms_epsilon: 1e-6,
        rope_base: 1e6,
        ..COMMON
    };
    assert_eq!(check(file, &expected, true)?, None);
    Ok(())
}

#[test]
fn qwen3() -> Result<(), ModelError> {
    let file = include_str!("../../../tests/data/configs/qwen3-0.6b.json");
    let expected = ModelConfig {
        family: Family::Qwen3,
        context_tokens: 40960,
        vocabulary: 151_936,
        layers: 28,
        width: 1024,
        heads: 16,
        kv_heads: 8,
        head_width: 128,
        ffn_width: 3072,
        rms_epsilon: 1e-6,
        rope_base: 1e6,
        ..COMMON
    };
    assert_eq!(check(file, &expected, true)?, None);
    Ok(())
}
