//! A model file of any bytes: what is accepted can be read, and packed or refused.
#![no_main]

#[path = "../../engine/tests/gguf_file/mod.rs"]
mod gguf_file;

use engine::{gguf::Gguf, model::Model};
use gguf_file::{STR, U32, array, sized_llama, str, u32_value};
use narthex_fuzz::seeds;

libfuzzer_sys::fuzz_target!(init: plant(), |data: &[u8]| check(data));

fn check(data: &[u8]) {
    let Ok(mut gguf) = Gguf::from_bytes(data.to_vec()) else {
        return;
    };
    for key in ["texts", "numbers", "general.alignment"] {
        let _ = (
            gguf.strs(key),
            gguf.i32s(key),
            gguf.f32s(key),
        );
        let _ = (gguf.str(key), gguf.u32(key), gguf.bool(key), gguf.f32(key));
    }
    for name in gguf.tensor_names() {
        assert!(
            gguf.tensor(name).is_ok(),
            "an accepted tensor is in the file"
        );
    }
    let _ = Model::take(&mut gguf);
}

fn plant() {
    let mut llama = sized_llama(1, 64, 32, 16);
    llama
        .set("texts", array(STR, 1, &str("a")))
        .set("numbers", array(U32, 1, &1_u32.to_le_bytes()))
        .set("general.alignment", u32_value(32));
    let mut tensorless = llama.clone();
    tensorless.tensors.clear();
    seeds::plant([llama.bytes(), tensorless.bytes()]);
}
