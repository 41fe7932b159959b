//! Models loaded, and refused for every reason there is.

use crate::gguf_file::*;
use engine::{
    gguf::Gguf,
    model::{Model, ModelError},
};

fn load(file: &File) -> Result<Model, ModelError> {
    Model::take(&mut Gguf::from_bytes(file.bytes()).unwrap())
}

fn changed(change: impl FnOnce(&mut File)) -> &'static str {
    let mut file = llama(2);
    change(&mut file);
    load(&file).err().map_or("", |error| error.code())
}

#[test]
fn the_configuration_is_read() {
    let model = load(&llama(2)).unwrap();
    let config = model.config();
    assert_eq!((config.context_tokens, config.vocabulary), (640, 96));
    assert_eq!(
        (config.layers, config.width, config.ffn_width),
        (2, 128, 192)
    );
    assert_eq!(
        (config.heads, config.kv_heads, config.head_width),
        (2, 1, 64)
    );
    assert_eq!((config.rms_epsilon, config.rope_base), (1e-5, 10_000.0));
}

#[test]
fn a_file_may_be_used_up() {
    let taken = |file: &File| Model::take(&mut Gguf::from_bytes(file.bytes()).unwrap());
    let model = taken(&llama(2)).unwrap();
    assert_eq!(model.config().layers, 2);
    let mut file = llama(2);
    file.tensor("blk.2.attn_q.weight", TENSOR_F32, &[128]);
    assert_eq!(taken(&file).err().unwrap().code(), "model.unknown_tensor");
}

#[test]
fn what_is_repeated_may_be_repeated() {
    let code = changed(|file| {
        file.set("llama.rope.dimension_count", u32_value(64))
            .set("llama.vocab_size", u32_value(96))
            .set("llama.rope.freq_base", f32_value(1e6));
        file.tensor("output.weight", TENSOR_Q8_0, &[128, 96])
            .fill(9);
    });
    assert_eq!(code, "");
}

#[test]
fn other_architectures_are_refused() {
    let other = |file: &mut File| {
        file.set("general.architecture", str_value("gemma2"));
    };
    assert_eq!(changed(other), "model.architecture");
    let none = |file: &mut File| {
        file.remove("general.architecture");
    };
    assert_eq!(changed(none), "gguf.missing_key");
}

#[test]
fn sizes_that_do_not_go_together_are_refused() {
    let sizes = [
        ("llama.context_length", 0),
        ("llama.context_length", (1 << 24) + 1),
        ("llama.block_count", 0),
        ("llama.block_count", 1025),
        ("llama.embedding_length", 0),
        ("llama.attention.head_count", 0),
        ("llama.attention.head_count", 3),
        ("llama.attention.head_count", 16),
        ("llama.attention.head_count", 1000),
        ("llama.attention.head_count_kv", 3),
        ("llama.feed_forward_length", 200),
        ("llama.rope.dimension_count", 32),
        ("llama.attention.key_length", 24),
        ("llama.attention.key_length", 512),
        ("llama.attention.sliding_window", 0),
        ("llama.attention.value_length", 128),
        ("llama.vocab_size", 97),
    ];
    for (key, size) in sizes {
        let code = changed(|file| {
            file.set(key, u32_value(size));
        });
        assert_eq!(code, "model.config", "{key} {size}");
    }
    for (key, number) in [
        ("llama.attention.layer_norm_rms_epsilon", 0.0),
        ("llama.attention.layer_norm_rms_epsilon", f32::NAN),
        ("llama.rope.freq_base", f32::INFINITY),
        ("llama.rope.freq_base", 0.0),
        ("llama.rope.scaling.factor", 0.5),
        ("llama.rope.scaling.factor", f32::NAN),
    ] {
        let code = changed(|file| {
            file.set(key, f32_value(number));
        });
        assert_eq!(code, "model.config", "{key} {number}");
    }
}

#[test]
fn what_is_not_built_is_refused() {
    let scaled = |file: &mut File| {
        file.set("llama.rope.scaling.type", str_value("yarn"));
    };
    assert_eq!(changed(scaled), "model.unsupported");
    let unnamed = |file: &mut File| {
        file.set("llama.rope.scaling.type", str_value("linear"))
            .set("llama.rope.scaling.attn_factor", f32_value(1.0));
    };
    assert_eq!(changed(unnamed), "model.unsupported");
    let experts = |file: &mut File| {
        file.set("llama.expert_count", u32_value(8));
    };
    assert_eq!(changed(experts), "model.unsupported");
    let bias = |file: &mut File| {
        file.tensor("blk.0.attn_q.bias", TENSOR_F32, &[128]);
    };
    assert_eq!(changed(bias), "model.unknown_tensor");
    let deeper = |file: &mut File| {
        file.set("llama.block_count", u32_value(1));
    };
    assert_eq!(changed(deeper), "model.unknown_tensor");
}

#[test]
fn queries_keys_and_values_may_be_stored_in_different_ways() {
    let code = changed(|file| {
        file.tensor("blk.1.attn_v.weight", TENSOR_Q8_0, &[128, 64])
            .fill(9);
    });
    assert_eq!(code, "");
}

#[test]
fn what_a_family_has_may_not_be_missing() {
    let of = |family: &'static str, change: fn(&mut File)| {
        let mut file = llama(1);
        for key in [
            "context_length",
            "embedding_length",
            "block_count",
            "attention.head_count",
            "attention.head_count_kv",
            "feed_forward_length",
        ] {
            let whole = format!("llama.{key}");
            let value = file.metadata.iter().find(|(name, _)| *name == whole);
            let value = value.unwrap().1.clone();
            file.set(&format!("{family}.{key}"), value);
        }
        let epsilon = format!("{family}.attention.layer_norm_rms_epsilon");
        file.set(&epsilon, f32_value(1e-6))
            .set("general.architecture", str_value(family));
        change(&mut file);
        load(&file).err().map_or("", |error| error.code())
    };
    for family in ["qwen2", "qwen3", "gemma3"] {
        assert_eq!(of(family, |_| ()), "gguf.missing_tensor", "{family}");
    }
    let biases = |file: &mut File| {
        for (part, rows) in [("q", 128), ("k", 64), ("v", 64)] {
            let name = format!("blk.0.attn_{part}.bias");
            file.tensor(&name, TENSOR_F32, &[rows]).fill(3);
        }
    };
    assert_eq!(of("qwen2", biases), "");
    let window = |file: &mut File| {
        file.set("qwen2.attention.sliding_window", u32_value(16));
    };
    assert_eq!(of("qwen2", window), "model.unsupported");
}

#[test]
fn rope_factors_have_to_be_possible() {
    let factors = |value: f32| {
        changed(|file| {
            let tensor = file.tensor("rope_freqs.weight", TENSOR_F32, &[32]);
            tensor.bytes = value.to_le_bytes().repeat(32);
        })
    };
    assert_eq!(factors(8.0), "");
    assert_eq!(factors(0.0), "model.shape");
    assert_eq!(factors(f32::NAN), "model.not_finite");
}

fn changed_wide(change: impl FnOnce(&mut File)) -> &'static str {
    let mut file = sized_llama(1, 256, 256, 96);
    change(&mut file);
    load(&file).err().map_or("", |error| error.code())
}

#[test]
fn matrices_of_every_type_are_loaded_if_their_numbers_are_finite() {
    let q = "blk.0.attn_q.weight";
    for (kind, offsets) in MATRIX_TYPES {
        let code = changed_wide(|file| file.tensor(q, kind, &[256, 256]).fill_matrix(5));
        assert_eq!(code, "", "{kind:?}");
        for offset in offsets {
            let code = changed_wide(|file| {
                let tensor = file.tensor(q, kind, &[256, 256]);
                tensor.fill_matrix(5);
                let at = tensor.bytes.len() - kind.2 + offset;
                tensor.bytes[at..at + 2].copy_from_slice(&[0x80, 0x7f]);
            });
            assert_eq!(code, "model.pack", "{kind:?}");
        }
    }
    let two_bits = |file: &mut File| {
        file.tensor(q, TENSOR_Q2_K, &[256, 256]);
    };
    assert_eq!(changed_wide(two_bits), "model.tensor_type");
}

#[test]
fn vocabularies_need_not_fill_the_last_panel() {
    let short = |file: &mut File| {
        file.tensor("token_embd.weight", TENSOR_Q8_0, &[256, 90])
            .fill(4);
    };
    assert_eq!(changed_wide(short), "");
}

#[test]
fn bad_tensors_are_refused() {
    let q = "blk.1.attn_q.weight";
    let shape = |file: &mut File| {
        file.tensor(q, TENSOR_Q4_1, &[128, 64]);
    };
    assert_eq!(changed(shape), "model.shape");
    let norm = |file: &mut File| {
        file.tensor("output_norm.weight", TENSOR_Q8_0, &[128]);
    };
    assert_eq!(changed(norm), "model.tensor_type");
    let infinite = |file: &mut File| {
        file.named("output_norm.weight").bytes[..4].copy_from_slice(&f32::INFINITY.to_le_bytes())
    };
    assert_eq!(changed(infinite), "model.not_finite");
    let scale = |file: &mut File| file.named(q).bytes[..2].copy_from_slice(&[0x00, 0x7c]);
    assert_eq!(changed(scale), "model.pack");
    let absent = |file: &mut File| file.tensors.retain(|tensor| tensor.name != q);
    assert_eq!(changed(absent), "gguf.missing_tensor");
}
