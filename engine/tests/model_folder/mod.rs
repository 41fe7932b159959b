//! Writes model folders as Hugging Face lays them out, from model files, right or wrong, for tests.
#![allow(
    dead_code,
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "each test uses a part of it"
)]

use std::{
    collections::BTreeMap,
    fs,
    path::{Path, PathBuf},
};

use engine::{gguf::Gguf, tokenizer::TokenizerSource};
use serde_json::{Map, Value, json};
use tempfile::TempDir;

/// The name of the folders' last part, and what becomes of it.
const NAME: &str = "Tiny Model_1B";
pub(crate) const PUBLIC_NAME: &str = "tiny-model-1b";

pub(crate) const GENERATION: &str = "generation_config.json";
pub(crate) const SETTINGS: &str = "tokenizer_config.json";
pub(crate) const SPECIAL_TOKENS_MAP: &str = "special_tokens_map.json";
pub(crate) const TOKENIZER: &str = "tokenizer.json";

/// A tensor of a safetensors file.
#[derive(Clone)]
pub(crate) struct Entry {
    pub(crate) name: String,
    pub(crate) dtype: &'static str,
    pub(crate) shape: Vec<usize>,
    pub(crate) bytes: Vec<u8>,
}

/// A folder to be written; the fields can be made wrong.
pub(crate) struct Folder {
    place: TempDir,
    pub(crate) config: Map<String, Value>,
    pub(crate) tensors: Vec<Entry>,
    /// Other files, by name.
    pub(crate) files: BTreeMap<&'static str, Value>,
}

/// A safetensors file.
pub(crate) fn safetensors(tensors: &[Entry]) -> Vec<u8> {
    let (mut header, mut data) = (Map::new(), Vec::new());
    for tensor in tensors {
        let offsets = [data.len(), data.len() + tensor.bytes.len()];
        header.insert(
            tensor.name.clone(),
            json!({"dtype": tensor.dtype, "shape": tensor.shape, "data_offsets": offsets}),
        );
        data.extend(&tensor.bytes);
    }
    raw(&Value::Object(header).to_string(), &data)
}

/// A safetensors file with any header.
pub(crate) fn raw(header: &str, data: &[u8]) -> Vec<u8> {
    let length = (header.len() as u64).to_le_bytes();
    [&length[..], header.as_bytes(), data].concat()
}

/// Names of GGUF files and of Hugging Face.
const PARTS: [(&str, &str); 14] = [
    ("token_embd", "model.embed_tokens"),
    ("output_norm", "model.norm"),
    ("output", "lm_head"),
    ("attn_norm", "input_layernorm"),
    ("attn_q", "self_attn.q_proj"),
    ("attn_k", "self_attn.k_proj"),
    ("attn_v", "self_attn.v_proj"),
    ("attn_q_norm", "self_attn.q_norm"),
    ("attn_k_norm", "self_attn.k_norm"),
    ("attn_output", "self_attn.o_proj"),
    ("ffn_norm", "post_attention_layernorm"),
    ("ffn_gate", "mlp.gate_proj"),
    ("ffn_up", "mlp.up_proj"),
    ("ffn_down", "mlp.down_proj"),
];

fn entry(gguf: &Gguf, name: &str) -> Entry {
    let (whole, kind) = name.rsplit_once('.').unwrap();
    let (layer, part) = match whole.strip_prefix("blk.") {
        Some(rest) => {
            let (layer, part) = rest.split_once('.').unwrap();
            (format!("model.layers.{layer}."), part)
        }
        None => (String::new(), whole),
    };
    let theirs = PARTS.iter().find(|(ours, _)| *ours == part).unwrap().1;
    let tensor = gguf.tensor(name).unwrap();
    let is_vector = kind == "bias" || part.ends_with("norm");
    Entry {
        name: format!("{layer}{theirs}.{kind}"),
        dtype: tensor.kind.name(),
        shape: match is_vector {
            true => vec![tensor.columns],
            false => vec![tensor.rows, tensor.columns],
        },
        bytes: tensor.bytes.into_owned(),
    }
}

/// Rows of queries and keys as Hugging Face has them: the halves of a head where GGUF files have neighbours.
fn unpermute(entry: &mut Entry, head_width: usize) {
    let row_bytes = entry.bytes.len() / entry.shape[0];
    let rows: Vec<Vec<u8>> = entry.bytes.chunks(row_bytes).map(<[u8]>::to_vec).collect();
    let heads = rows.chunks(head_width).flat_map(|head| {
        let half = head_width / 2;
        (0..head_width).map(move |row| head[row % half * 2 + row / half].clone())
    });
    entry.bytes = heads.flatten().collect();
}

impl Folder {
    /// Configuration and weights of a model file.
    pub(crate) fn of(gguf: &Gguf) -> Self {
        let family = gguf.str("general.architecture").unwrap();
        let said = |key: &str| gguf.u32(&format!("{family}.{key}"));
        let number = |key: &str| f64::from(gguf.f32(&format!("{family}.{key}")).unwrap());
        let heads = said("attention.head_count").unwrap();
        let width = said("embedding_length").unwrap();
        let head_width = said("attention.key_length").unwrap_or(width / heads);
        let mut tensors: Vec<Entry> = gguf.tensor_names().map(|name| entry(gguf, name)).collect();
        if family == "llama" {
            let turned = |name: &str| name.contains("q_proj") || name.contains("k_proj");
            let turned = tensors.iter_mut().filter(|tensor| turned(&tensor.name));
            turned.for_each(|tensor| unpermute(tensor, head_width as usize));
        }
        let config = json!({
            "model_type": family,
            "hidden_act": "silu",
            "hidden_size": width,
            "num_attention_heads": heads,
            "num_key_value_heads": said("attention.head_count_kv").unwrap(),
            "num_hidden_layers": said("block_count").unwrap(),
            "intermediate_size": said("feed_forward_length").unwrap(),
            "head_dim": head_width,
            "max_position_embeddings": said("context_length").unwrap(),
            "rms_norm_eps": number("attention.layer_norm_rms_epsilon"),
            "rope_theta": number("rope.freq_base"),
            "vocab_size": gguf.place("token_embd.weight").unwrap().rows,
            "tie_word_embeddings": gguf.place("output.weight").is_err(),
            "torch_dtype": "float32",
            "sliding_window": null,
        });
        Self {
            place: tempfile::tempdir().unwrap(),
            config: config.as_object().unwrap().clone(),
            tensors,
            files: BTreeMap::new(),
        }
    }

    /// The same with its tokenizer and its chat template.
    pub(crate) fn speaking(gguf: &Gguf) -> Self {
        let mut folder = Self::of(gguf);
        let source = TokenizerSource::from_gguf(gguf).unwrap();
        let text = |id: Option<u32>| id.map(|id| source.tokens[id as usize]);
        let settings = json!({
            "bos_token": text(source.bos),
            "eos_token": {"content": text(source.eos), "lstrip": false, "special": true},
            "add_prefix_space": false,
            "added_tokens_decoder": added_by_id(&source),
            "chat_template": gguf.str("tokenizer.chat_template").unwrap(),
        });
        folder.files.insert(SETTINGS, settings);
        let generation = json!({"eos_token_id": source.eos, "temperature": 0.7});
        folder.files.insert(GENERATION, generation);
        folder.files.insert(TOKENIZER, tokenizer(&source));
        folder
    }

    /// Sets a value of a JSON file; `config.json` has its own map.
    pub(crate) fn set(&mut self, file: &'static str, key: &str, value: Value) {
        self.files.entry(file).or_insert_with(|| json!({}))[key] = value;
    }

    /// Has `tokenizer.json` put a token before each text.
    pub(crate) fn put_before(&mut self, token: &str) {
        let single = json!([{"SpecialToken": {"id": token}}, {"Sequence": {"id": "A"}}]);
        let added = self.files[TOKENIZER]["added_tokens"].as_array().unwrap();
        let id = added
            .iter()
            .find(|added| added["content"] == token)
            .unwrap()["id"]
            .clone();
        let known = json!({token: {"id": token, "ids": [id], "tokens": [token]}});
        let template =
            json!({"type": "TemplateProcessing", "single": single, "special_tokens": known});
        self.set(TOKENIZER, "post_processor", template);
    }

    /// The folder that it is in.
    pub(crate) fn place(&self) -> &Path {
        self.place.path()
    }

    /// Where it is once it is written.
    pub(crate) fn path(&self) -> PathBuf {
        self.place.path().join(NAME)
    }

    /// Writes all files.
    pub(crate) fn write(&self) -> PathBuf {
        self.write_small();
        let weights = safetensors(&self.tensors);
        fs::write(self.path().join("model.safetensors"), weights).unwrap();
        self.path()
    }

    /// Writes all files but the weights.
    pub(crate) fn write_small(&self) -> PathBuf {
        let path = self.path();
        fs::create_dir_all(&path).unwrap();
        let config = Value::Object(self.config.clone());
        write_json(&path.join("config.json"), &config);
        for (name, value) in &self.files {
            write_json(&path.join(name), value);
        }
        path
    }
}

fn write_json(path: &Path, value: &Value) {
    fs::write(path, value.to_string()).unwrap();
}

/// Ids, texts and kinds of all tokens.
fn tokens<'a>(source: &'a TokenizerSource<'a>) -> impl Iterator<Item = (usize, &'a str, i32)> {
    let kinds = source.kinds.iter().copied();
    let tokens = source.tokens.iter().copied().zip(kinds).enumerate();
    tokens.map(|(id, (text, kind))| (id, text, kind))
}

fn added_by_id(source: &TokenizerSource<'_>) -> Value {
    let added = tokens(source).filter(|(.., kind)| *kind != 1);
    let entry = |(id, text, kind): (usize, &str, i32)| {
        (
            id.to_string(),
            json!({"content": text, "special": kind == 3}),
        )
    };
    added.map(entry).collect::<Map<_, _>>().into()
}

/// `tokenizer.json` of byte-level BPE.
fn tokenizer(source: &TokenizerSource<'_>) -> Value {
    let ordinary = tokens(source).filter(|(.., kind)| *kind == 1);
    let vocabulary: Map<String, Value> = ordinary
        .map(|(id, text, _)| (text.to_owned(), id.into()))
        .collect();
    let added = tokens(source).filter(|(.., kind)| *kind != 1);
    let added: Vec<Value> = added
        .map(|(id, text, kind)| json!({"id": id, "content": text, "special": kind == 3}))
        .collect();
    json!({
        "added_tokens": added,
        "normalizer": null,
        "pre_tokenizer": pre_tokenizer(source.pre_tokenizer),
        "post_processor": {"type": "ByteLevel", "add_prefix_space": true, "trim_offsets": false},
        "model": {"type": "BPE", "vocab": vocabulary, "merges": source.merges},
    })
}

fn pre_tokenizer(name: &str) -> Value {
    let bytes = json!({"type": "ByteLevel", "add_prefix_space": false, "use_regex": true});
    match name {
        "gpt-2" => bytes,
        "smollm" => {
            let digits = json!({"type": "Digits", "individual_digits": true});
            json!({"type": "Sequence", "pretokenizers": [digits, bytes]})
        }
        other => panic!("no rules for {other}"),
    }
}
