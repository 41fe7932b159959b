//! A Llama of quantised weights, with matrices of two formats stacked.

use std::sync::Arc;

use engine::decoder::{Decoder, KvCache, KvTable};

use crate::{
    families::{bits, decoder, model, step},
    gguf_file::{self, TENSOR_Q4_1, TENSOR_Q8_0},
};

#[test]
fn matrices_of_several_formats_give_the_same_bits() {
    let mut file = gguf_file::llama(2);
    // Values in another format than queries and keys, and gates in another than ups.
    for (name, columns, rows) in [
        ("blk.0.attn_v.weight", 128, 64),
        ("blk.1.attn_k.weight", 128, 64),
        ("blk.0.ffn_up.weight", 128, 192),
        ("blk.1.ffn_gate.weight", 128, 192),
    ] {
        file.tensor(name, TENSOR_Q8_0, &[columns, rows]).fill(77);
    }
    file.tensor("output.weight", TENSOR_Q4_1, &[128, 96])
        .fill(5);
    let model = model(&file.bytes());
    let tokens: Vec<u32> = (0..21).map(|i| i * 5 % 96).collect();
    let (_, mut on_device) = decoder(&model);
    let mut table = KvTable::default();
    let mut reference = Decoder::new(Arc::clone(&model), 1);
    let mut cache = KvCache::new(&model, 32);
    for tokens in tokens.chunks(18) {
        let logits = step(&mut on_device, &mut table, tokens).unwrap();
        let expected = bits(reference.forward(tokens, &mut cache).unwrap());
        assert!(logits == expected);
    }
    on_device.pages().release(table);
}
