//! Safetensors and configurations of any bytes: what is accepted can be read, and run or refused.
#![no_main]

use engine::{folder::ModelFolder, model::Model, safetensors::Safetensors};
use narthex_fuzz::seeds;

libfuzzer_sys::fuzz_target!(init: plant(), |data: &[u8]| check(data));

const CONFIG: &str = r#"{"model_type":"qwen2","hidden_size":32,"num_attention_heads":1,"num_hidden_layers":1,
"intermediate_size":32,"max_position_embeddings":16,"rms_norm_eps":1e-6,"vocab_size":4,"tie_word_embeddings":true,
"rope_scaling":{"rope_type":"llama3","factor":8,"low_freq_factor":1,"high_freq_factor":4,"original_max_position_embeddings":8}}"#;

/// The configuration, a zero byte, then the weights.
fn check(data: &[u8]) {
    let Some(end) = data.iter().position(|byte| *byte == 0) else {
        return;
    };
    let (config, weights) = (&data[..end], &data[end + 1..]);
    let Ok(weights) = Safetensors::from_bytes(weights.to_vec()) else {
        return;
    };
    for name in weights.names() {
        assert!(weights.has(&name), "an accepted tensor is known");
        let _ = weights.tensor(&name);
    }
    let mut folder = ModelFolder::from_parts([("config.json", config.to_vec())], weights);
    let _ = (folder.kind(), Model::take_folder(&mut folder));
}

fn plant() {
    let header = r#"{"a":{"dtype":"BF16","shape":[2,4],"data_offsets":[0,16]},"model.norm.weight":{"dtype":"F32","shape":[32],"data_offsets":[16,144]}}"#;
    let length = (header.len() as u64).to_le_bytes();
    let weights = [&length[..], header.as_bytes(), &[0; 144]].concat();
    seeds::plant([
        [CONFIG.as_bytes(), &[0], &weights].concat(),
        [b"{}", &[0][..], &weights].concat(),
    ]);
}
