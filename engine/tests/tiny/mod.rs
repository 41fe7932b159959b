//! Random tiny models that `families/make.py` drew, as model files.
#![allow(
    dead_code,
    clippy::unwrap_used,
    clippy::indexing_slicing,
    reason = "each test uses a part of it"
)]

use std::{fs, path::Path};

use serde_json::Value;

use crate::gguf_file::{self, File, I32, STR, TENSOR_F32, array, f32_value, str_value, u32_value};

/// All cases.
pub(crate) fn cases() -> Vec<Value> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../engine/tests/families");
    let files = fs::read_dir(folder)
        .unwrap()
        .map(|file| file.unwrap().path());
    let json = files.filter(|path| path.extension().is_some_and(|e| e == "json"));
    let cases: Vec<Value> = json
        .map(|path| serde_json::from_slice(&fs::read(path).unwrap()).unwrap())
        .collect();
    assert_eq!(cases.len(), 12);
    cases
}

/// One case.
pub(crate) fn named(name: &str) -> Value {
    cases()
        .into_iter()
        .find(|case| case["name"] == name)
        .unwrap()
}

/// Its prompt.
pub(crate) fn tokens(case: &Value) -> Vec<u32> {
    let tokens = case["tokens"].as_array().unwrap().iter();
    tokens.map(|id| id.as_u64().unwrap() as u32).collect()
}

/// Its model file.
pub(crate) fn file(json: &Value) -> File {
    let mut file = File::new();
    for (key, value) in json["metadata"].as_object().unwrap() {
        let value = match value {
            Value::String(text) => str_value(text),
            Value::Number(n) if n.is_u64() => u32_value(n.as_u64().unwrap() as u32),
            other => f32_value(other.as_f64().unwrap() as f32),
        };
        file.set(key, value);
    }
    for (place, tensor) in json["tensors"].as_array().unwrap().iter().enumerate() {
        let shape = tensor["shape"].as_array().unwrap().iter().rev();
        let dimensions: Vec<usize> = shape.map(|n| n.as_u64().unwrap() as usize).collect();
        let offset = tensor["offset"].as_f64().unwrap() as f32;
        let scale = 2.0_f32.powi(tensor["exponent"].as_i64().unwrap() as i32);
        let entry = file.tensor(tensor["name"].as_str().unwrap(), TENSOR_F32, &dimensions);
        let places = entry.bytes.as_chunks_mut::<4>().0.iter_mut();
        for (index, bytes) in places.enumerate() {
            *bytes = (offset + noise(place as u64, index as u64) * scale).to_le_bytes();
        }
    }
    file
}

/// As `noise` in `make.py`.
fn noise(seed: u64, index: u64) -> f32 {
    let z = ((seed << 32) + index).wrapping_mul(0x9e37_79b9_7f4a_7c15);
    let z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    let z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    let z = z ^ (z >> 31);
    ((z >> 40) as i64 - (1 << 23)) as f32 * 2.0_f32.powi(-23)
}

/// Ids of the special tokens of [`speaking`].
pub(crate) const BEGIN: u32 = 1;
pub(crate) const END: u32 = 2;

/// ChatML.
const TEMPLATE: &str = "{% for message in messages %}{{ '<|im_start|>' + message['role'] + '\n' + message['content'] + '<|im_end|>\n' }}{% endfor %}{{ '<|im_start|>assistant\n' }}";

/// The model file of a case with a name, a tokenizer of bytes and one merge, and a chat template.
pub(crate) fn speaking(case: &str) -> File {
    let json = named(case);
    let vocabulary = json["tensors"][0]["shape"][0].as_u64().unwrap() as usize;
    let special = ["<|endoftext|>", "<|im_start|>", "<|im_end|>"];
    let letters = ('a'..='z').chain("ĠĊ.,!?<|>_".chars()).chain('A'..='Z');
    let letters = letters.chain('0'..='9').chain('\u{a1}'..='\u{ac}');
    let letters = letters.chain('\u{ae}'..='\u{ff}').map(String::from);
    let special = special.into_iter().map(String::from);
    let mut tokens: Vec<String> = special.chain(letters).take(vocabulary - 1).collect();
    tokens.push("ab".to_owned());
    let kinds = (0..vocabulary).map(|id| if id < 3 { 3 } else { 1 });
    let mut file = file(&json);
    file.set("general.name", str_value("Tiny Speaker"))
        .set("tokenizer.ggml.model", str_value("gpt2"))
        .set("tokenizer.ggml.pre", str_value("smollm"))
        .set("tokenizer.ggml.tokens", strings(&tokens))
        .set("tokenizer.ggml.token_type", integers(kinds))
        .set("tokenizer.ggml.merges", strings(&["a b".to_owned()]))
        .set("tokenizer.ggml.bos_token_id", u32_value(BEGIN))
        .set("tokenizer.ggml.eos_token_id", u32_value(END))
        .set("tokenizer.chat_template", str_value(TEMPLATE));
    file
}

fn strings(texts: &[String]) -> Vec<u8> {
    let bytes: Vec<u8> = texts.iter().flat_map(|text| gguf_file::str(text)).collect();
    array(STR, texts.len() as u64, &bytes)
}

fn integers(numbers: impl ExactSizeIterator<Item = i32>) -> Vec<u8> {
    let length = numbers.len() as u64;
    let bytes: Vec<u8> = numbers.flat_map(i32::to_le_bytes).collect();
    array(I32, length, &bytes)
}
