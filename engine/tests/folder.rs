//! Model folders of safetensors: read as the GGUF file of the same weights, and refused for every reason there is.

use crate::tiny;
use std::{fs, path::Path, sync::Arc};

use crate::model_folder::{Entry, Folder, raw, safetensors};
use engine::{
    decoder::{Decoder, KvCache},
    folder::{FolderError, ModelFolder},
    gguf::Gguf,
    model::{Model, ModelError},
    safetensors::{Safetensors, SafetensorsError},
};
use serde_json::{Map, Value, json};
use sha2::{Digest, Sha256};

/// The folder and the file of a case.
fn of(case: &Value) -> (Folder, Gguf) {
    let gguf = Gguf::from_bytes(tiny::file(case).bytes()).unwrap();
    (Folder::of(&gguf), gguf)
}

fn load(folder: &Folder) -> Result<Model, ModelError> {
    Model::take_folder(&mut ModelFolder::open(&folder.write()).unwrap())
}

fn logits(model: Model, tokens: &[u32]) -> Vec<f32> {
    let model = Arc::new(model);
    let mut decoder = Decoder::new(Arc::clone(&model), 1);
    let mut cache = KvCache::new(&model, tokens.len());
    decoder.forward(tokens, &mut cache).unwrap().to_vec()
}

#[test]
fn a_folder_is_the_model_of_the_file() {
    for name in ["qwen2-0", "qwen3-1"] {
        let case = tiny::named(name);
        let (folder, mut file) = of(&case);
        let theirs = Model::take(&mut file).unwrap();
        let tokens = tiny::tokens(&case);
        assert_eq!(
            logits(load(&folder).unwrap(), &tokens),
            logits(theirs, &tokens),
            "{name}"
        );
    }
}

#[test]
fn heads_of_llamas_turn_by_halves() {
    let case = tiny::named("llama-0");
    let (folder, mut file) = of(&case);
    let theirs = Model::take(&mut file).unwrap();
    let tokens = tiny::tokens(&case);
    let (ours, theirs) = (
        logits(load(&folder).unwrap(), &tokens),
        logits(theirs, &tokens),
    );
    // Scores are sums over a head's columns, here in another order.
    let differences = ours.iter().zip(&theirs).map(|(a, b)| (a - b).abs());
    assert!(differences.fold(0.0, f32::max) < 1e-3);
}

/// Writes the folder with its weights in two files; gives which tensor is in which.
fn in_two_files(folder: &Folder) -> Map<String, Value> {
    let path = folder.write();
    fs::remove_file(path.join("model.safetensors")).unwrap();
    let (first, second) = folder.tensors.split_at(5);
    let mut map = Map::new();
    for (name, part) in [("a.safetensors", first), ("b.safetensors", second)] {
        fs::write(path.join(name), safetensors(part)).unwrap();
        part.iter().for_each(|tensor| {
            map.insert(tensor.name.clone(), name.into());
        });
    }
    map
}

/// Reads the folder with an index of `map`.
fn indexed(folder: &Folder, map: &Map<String, Value>) -> Result<ModelFolder, FolderError> {
    let index = folder.path().join("model.safetensors.index.json");
    fs::write(index, json!({"weight_map": map}).to_string()).unwrap();
    ModelFolder::open(&folder.path())
}

#[test]
fn weights_may_lie_in_several_files() {
    let case = tiny::named("qwen3-0");
    let tokens = tiny::tokens(&case);
    let (folder, _) = of(&case);
    let whole = logits(load(&folder).unwrap(), &tokens);
    let map = in_two_files(&folder);
    let code = |map: &Map<String, Value>| indexed(&folder, map).err().map_or("", |e| e.code());
    let model = Model::take_folder(&mut indexed(&folder, &map).unwrap()).unwrap();
    assert_eq!(logits(model, &tokens), whole);

    let mut fewer = map.clone();
    fewer.remove("model.norm.weight");
    assert_eq!(code(&fewer), "folder.index");
    let mut outside = map.clone();
    outside.insert("model.norm.weight".into(), "../a.safetensors".into());
    assert_eq!(code(&outside), "folder.index");
    let mut absent = map.clone();
    absent.insert("model.norm.weight".into(), "c.safetensors".into());
    assert_eq!(code(&absent), "safetensors.io");
    assert_eq!(code(&Map::new()), "folder.index");
    fs::write(folder.path().join("model.safetensors"), "").unwrap();
    assert_eq!(code(&map), "folder.two_weights");
}

#[test]
fn refusals_of_several_files_name_tensor_and_file() {
    let (folder, _) = of(&tiny::named("qwen3-0"));
    let map = in_two_files(&folder);
    let message = |map: &Map<String, Value>| indexed(&folder, map).err().unwrap().to_string();
    let moved = |file: &str| {
        let mut map = map.clone();
        map.insert("model.norm.weight".into(), file.into());
        map
    };
    assert_eq!(
        message(&moved("a.safetensors")),
        "model.safetensors.index.json puts tensor model.norm.weight into a.safetensors, which does not have it"
    );
    assert_eq!(
        message(&moved("../a.safetensors")),
        "model.safetensors.index.json puts tensor model.norm.weight into \"../a.safetensors\", which is no name of a file of weights in the folder"
    );
    let mut fewer = map.clone();
    fewer.remove("model.norm.weight");
    assert_eq!(
        message(&fewer),
        "model.safetensors.index.json does not say that tensor model.norm.weight is in b.safetensors, which has it"
    );
    let second = folder.path().join("b.safetensors");
    let whole = fs::read(&second).unwrap();
    fs::write(&second, &whole[..whole.len() - 1]).unwrap();
    assert_eq!(
        message(&map),
        "b.safetensors: the file is not as long as its tensors"
    );
}

#[test]
fn an_index_with_a_key_twice_is_refused() {
    let (folder, _) = of(&tiny::named("qwen3-0"));
    let map = in_two_files(&folder);
    let twice = json!({"weight_map": map}).to_string();
    let twice = twice.replacen('{', r#"{"weight_map":{},"#, 1);
    let index = folder.path().join("model.safetensors.index.json");
    fs::write(index, twice).unwrap();
    let refused = ModelFolder::open(&folder.path()).err().unwrap();
    assert_eq!(refused.code(), "folder.index");
}

#[test]
fn the_digest_is_that_of_the_list_that_sha256sum_prints() {
    let (folder, _) = of(&tiny::named("qwen2-0"));
    let path = folder.write();
    fs::write(path.join("README.md"), "not read").unwrap();
    let line = |name: &str| {
        let digest = Sha256::digest(fs::read(path.join(name)).unwrap());
        let digest: String = digest.iter().map(|byte| format!("{byte:02x}")).collect();
        format!("{digest}  {name}\n")
    };
    let list = line("config.json") + &line("model.safetensors");
    let expected: [u8; 32] = Sha256::digest(list).into();
    assert_eq!(ModelFolder::open(&path).unwrap().digest(), expected);
    fs::write(path.join("vocab.txt"), "read").unwrap();
    assert_ne!(ModelFolder::open(&path).unwrap().digest(), expected);
}

#[test]
fn folders_that_lack_something_are_refused() {
    let empty = tempfile::tempdir().unwrap();
    let code = |path: &Path| ModelFolder::open(path).err().map_or("", |e| e.code());
    assert_eq!(code(empty.path()), "folder.no_config");
    fs::create_dir(empty.path().join("config.json")).unwrap();
    assert_eq!(code(empty.path()), "folder.io");
    fs::remove_dir(empty.path().join("config.json")).unwrap();
    fs::write(empty.path().join("config.json"), "{}").unwrap();
    assert_eq!(code(empty.path()), "safetensors.io");
}

#[test]
fn files_that_are_too_large_are_refused() {
    let (small, folder) = (1 << 20, tempfile::tempdir().unwrap());
    let path = |name: &str| folder.path().join(name);
    fs::create_dir(path("1_Pooling")).unwrap();
    fs::write(path("config.json"), "{}").unwrap();
    let code = || ModelFolder::open(folder.path()).err().unwrap().code();
    for (name, most) in [
        ("config.json", small),
        ("generation_config.json", small),
        ("chat_template.jinja", small),
        ("special_tokens_map.json", small),
        ("modules.json", small),
        ("1_Pooling/config.json", small),
        ("sentence_bert_config.json", small),
        ("tokenizer_config.json", 4 << 20),
        ("vocab.txt", 16 << 20),
        ("tokenizer.json", 64 << 20),
    ] {
        let file = fs::File::create(path(name)).unwrap();
        file.set_len(most).unwrap();
        assert_eq!(code(), "safetensors.io", "{name}");
        file.set_len(most + 1).unwrap();
        assert_eq!(code(), "folder.too_large", "{name}");
        file.set_len(0).unwrap();
    }
    let index = fs::File::create(path("model.safetensors.index.json")).unwrap();
    index.set_len(16 << 20).unwrap();
    assert_eq!(code(), "folder.index");
    index.set_len((16 << 20) + 1).unwrap();
    assert_eq!(code(), "folder.too_large");
}

#[test]
fn configurations_that_cannot_be_run_are_refused() {
    let (mut folder, _) = of(&tiny::named("qwen2-0"));
    let whole = folder.config.clone();
    let refusals = [
        ("model_type", json!("gemma3_text"), "model.architecture"),
        ("model_type", json!(3), "model.config"),
        ("hidden_size", json!(0), "model.config"),
        ("hidden_size", json!("64"), "model.config"),
        ("num_attention_heads", json!(-1), "model.config"),
        ("num_key_value_heads", json!(1000), "model.config"),
        ("head_dim", json!(24), "model.config"),
        ("rms_norm_eps", json!(0), "model.config"),
        ("rope_theta", json!(0), "model.config"),
        ("vocab_size", json!(1 << 25), "model.config"),
        (
            "num_hidden_layers",
            json!(100),
            "safetensors.missing_tensor",
        ),
        ("intermediate_size", json!(4096), "model.shape"),
        ("hidden_act", json!("gelu"), "model.unsupported"),
        ("use_sliding_window", json!(true), "model.unsupported"),
        (
            "layer_types",
            json!(["sliding_attention"]),
            "model.unsupported",
        ),
        ("attention_bias", json!(true), "model.unsupported"),
        ("quantization_config", json!({}), "model.unsupported"),
        ("partial_rotary_factor", json!(0.5), "model.unsupported"),
        ("partial_rotary_factor", json!("1"), "model.config"),
        ("use_mrope", json!(true), "model.unsupported"),
        ("logit_scale", json!(2.0), "model.unsupported"),
        ("rope_scaling", json!({"type": "yarn"}), "model.unsupported"),
        ("rope_scaling", json!({"type": "linear"}), "model.config"),
        (
            "rope_scaling",
            json!({"rope_type": "llama3"}),
            "model.config",
        ),
        ("rope_scaling", json!({"factor": 2.0}), "model.config"),
        ("rope_scaling", json!({}), "model.config"),
        ("rope_scaling", json!(8), "model.config"),
    ];
    for (key, value, code) in refusals {
        folder.config.insert(key.to_owned(), value.clone());
        let refused = load(&folder).err().map_or("", |error| error.code());
        assert_eq!(refused, code, "{key} {value}");
        folder.config = whole.clone();
    }
}

#[test]
fn tensors_that_the_model_does_not_have_are_refused() {
    let (mut folder, _) = of(&tiny::named("qwen2-0"));
    let mut code = |name: &str| {
        folder.tensors.push(Entry {
            name: name.to_owned(),
            dtype: "F32",
            shape: vec![1],
            bytes: vec![0; 4],
        });
        let code = load(&folder).err().map_or("", |error| error.code());
        folder.tensors.pop();
        code
    };
    for name in [
        "stray",
        "model.layers.99.self_attn.q_proj.weight",
        "model.layers.00.self_attn.q_proj.weight",
        "blk.0.attn_q.weight",
        "blk.0.attn_q.bias",
        "token_embd.weight",
        "output_norm.weight",
        "output.weight",
        "stray.self_attn.rotary_emb.inv_freq",
    ] {
        assert_eq!(code(name), "model.unknown_tensor", "{name}");
    }
    let inv_freq = "model.layers.0.self_attn.rotary_emb.inv_freq";
    assert_eq!(code(inv_freq), "", "it follows from the configuration");
}

#[test]
fn logits_are_made_as_the_weights_say() {
    let (mut folder, _) = of(&tiny::named("qwen2-0"));
    folder
        .config
        .insert("tie_word_embeddings".into(), true.into());
    folder
        .tensors
        .retain(|entry| entry.name != "lm_head.weight");
    let plain = logits(load(&folder).unwrap(), &[1, 2, 3]);
    let mut tensors = folder.tensors.iter();
    let embedding = tensors.find(|entry| entry.name == "model.embed_tokens.weight");
    let same = Entry {
        name: "lm_head.weight".to_owned(),
        ..embedding.unwrap().clone()
    };
    folder.tensors.push(same.clone());
    assert_eq!(logits(load(&folder).unwrap(), &[1, 2, 3]), plain);
    let mut code = |change: fn(&mut Entry)| {
        let mut other = same.clone();
        change(&mut other);
        folder.tensors.pop();
        folder.tensors.push(other);
        load(&folder).err().map_or("", |error| error.code())
    };
    assert_eq!(code(|_| ()), "");
    assert_eq!(code(|other| other.bytes[0] ^= 1), "model.tied_output");
    assert_eq!(code(|other| other.shape.reverse()), "model.tied_output");
    assert_eq!(code(|other| other.dtype = "I32"), "model.tied_output");
}

#[test]
fn refusals_name_the_file_and_its_own_key() {
    let (mut folder, _) = of(&tiny::named("qwen2-0"));
    let whole = folder.config.clone();
    for (key, value, message) in [
        ("hidden_size", json!(48), "has an unsupported value"),
        (
            "num_attention_heads",
            json!(1 << 18),
            "has an unsupported value",
        ),
        (
            "num_key_value_heads",
            json!(1000),
            "has an unsupported value",
        ),
        ("intermediate_size", json!(33), "has an unsupported value"),
        ("rms_norm_eps", json!(2), "has an unsupported value"),
        ("rope_theta", json!(0), "has an unsupported value"),
        (
            "hidden_act",
            json!("gelu"),
            "asks for what is not supported",
        ),
        ("logit_scale", json!(2.0), "asks for what is not supported"),
    ] {
        folder.config.insert(key.to_owned(), value);
        let refused = load(&folder).err().unwrap().to_string();
        assert_eq!(refused, format!("config.json: {key} {message}"));
        folder.config = whole.clone();
    }
    let path = folder.write();
    fs::write(path.join("config.json"), "{").unwrap();
    let refused = ModelFolder::open(&path).unwrap().kind().err().unwrap();
    assert_eq!(
        refused.to_string(),
        "config.json is missing, is no JSON of its kind, or has a key twice"
    );
    folder.write();
    fs::write(path.join("model.safetensors"), "").unwrap();
    assert_eq!(
        ModelFolder::open(&path).err().unwrap().to_string(),
        "model.safetensors: the header is longer than the file, or than 16 MiB"
    );
}

#[test]
fn keys_that_change_nothing_are_accepted() {
    let (mut folder, _) = of(&tiny::named("qwen2-0"));
    let whole = folder.config.clone();
    for (key, value) in [
        ("partial_rotary_factor", json!(1.0)),
        ("use_mrope", json!(false)),
        ("use_mrope", Value::Null),
    ] {
        folder.config.insert(key.to_owned(), value.clone());
        assert!(load(&folder).is_ok(), "{key} {value}");
        folder.config = whole.clone();
    }
}

#[test]
fn stretched_contexts_are_read() {
    let (mut folder, _) = of(&tiny::named("qwen2-0"));
    let llama3 = json!({
        "rope_type": "llama3", "factor": 8.0, "low_freq_factor": 1.0, "high_freq_factor": 4.0,
        "original_max_position_embeddings": 64,
    });
    let plain = logits(load(&folder).unwrap(), &[1, 2, 3, 4]);
    folder.config.insert("rope_scaling".into(), llama3);
    assert_ne!(logits(load(&folder).unwrap(), &[1, 2, 3, 4]), plain);
    let linear = json!({"rope_type": "linear", "factor": 2.0, "rope_theta": 3e4});
    folder.config.remove("rope_scaling");
    folder.config.remove("rope_theta");
    folder.config.insert("rope_parameters".into(), linear);
    let model = load(&folder).unwrap();
    assert_eq!(model.config().rope_factor, 2.0);
    assert_eq!(model.config().rope_base, 3e4);
}

#[test]
fn stretching_that_is_not_all_read_is_refused() {
    let (mut folder, _) = of(&tiny::named("qwen2-0"));
    let whole = folder.config.clone();
    let linear = |factor: f64| json!({"rope_type": "linear", "factor": factor});
    let llama3 = |key: &str, value: Value| {
        let mut llama3 = json!({
            "rope_type": "llama3", "factor": 8.0, "low_freq_factor": 1.0, "high_freq_factor": 4.0,
            "original_max_position_embeddings": 64,
        });
        llama3[key] = value;
        llama3
    };
    for (scaling, code) in [
        (linear(1.0), ""),
        (linear(1e4), ""),
        (linear(0.5), "model.config"),
        (linear(10_001.0), "model.config"),
        (llama3("factor", json!(1e4)), ""),
        (llama3("factor", json!(0.5)), "model.config"),
        (llama3("factor", json!(10_001.0)), "model.config"),
        (llama3("low_freq_factor", json!(0.0)), "model.config"),
        (llama3("low_freq_factor", json!(4.0)), "model.config"),
        (llama3("high_freq_factor", json!(1e39)), "model.config"),
        (llama3("type", json!("llama3")), ""),
        (llama3("type", json!("linear")), "model.config"),
        (llama3("attention_factor", json!(1.0)), "model.unsupported"),
        (
            json!({"rope_type": "linear", "factor": 2.0, "low_freq_factor": 1.0}),
            "model.unsupported",
        ),
        (
            json!({"rope_type": "default", "factor": 2.0}),
            "model.unsupported",
        ),
        (
            json!({"rope_type": "default", "rope_theta": whole["rope_theta"]}),
            "",
        ),
        (
            json!({"rope_type": "default", "rope_theta": 123.0}),
            "model.config",
        ),
    ] {
        for key in ["rope_scaling", "rope_parameters"] {
            folder.config = whole.clone();
            folder.config.insert(key.to_owned(), scaling.clone());
            let refused = load(&folder).err().map_or("", |error| error.code());
            assert_eq!(refused, code, "{key} {scaling}");
        }
        folder.config.insert("rope_scaling".into(), linear(2.0));
        let refused = load(&folder).err().map_or("", |error| error.code());
        assert_eq!(refused, "model.config", "one of them at most");
    }
    folder.config = whole;
    let unnamed = json!({"factor": 2.0});
    folder.config.insert("rope_parameters".into(), unnamed);
    assert_eq!(load(&folder).err().unwrap().code(), "model.unsupported");
}

#[test]
fn windows_are_those_of_the_kind_of_model() {
    let window = |kind: &str, window: Option<Value>| {
        let case = match kind {
            "mistral" => "llama-0".to_owned(),
            kind => format!("{kind}-0"),
        };
        let (mut folder, _) = of(&tiny::named(&case));
        folder.config.insert("model_type".into(), kind.into());
        folder.config.remove("sliding_window");
        if let Some(window) = window {
            folder.config.insert("sliding_window".into(), window);
        }
        let sliding = |model: Model| {
            let sliding = model.config().sliding;
            sliding.map(|sliding| (sliding.tokens, sliding.period, sliding.rope_base))
        };
        load(&folder).map(sliding).map_err(|error| error.code())
    };
    for (kind, given, expected) in [
        ("mistral", None, Ok(Some((4096, 0, None)))),
        ("mistral", Some(Value::Null), Ok(None)),
        ("mistral", Some(json!(3)), Ok(Some((3, 0, None)))),
        ("mistral", Some(json!(0)), Err("model.config")),
        ("mistral", Some(json!("3")), Err("model.config")),
        ("llama", None, Ok(None)),
        ("llama", Some(Value::Null), Ok(None)),
        ("llama", Some(json!(3)), Err("model.unsupported")),
        ("qwen2", None, Ok(None)),
        ("qwen2", Some(json!(3)), Ok(None)),
        ("qwen3", Some(json!(3)), Ok(None)),
    ] {
        assert_eq!(window(kind, given.clone()), expected, "{kind} {given:?}");
    }
}

/// What a window hides changes nothing, what it shows does.
#[test]
fn a_folder_of_a_mistral_looks_as_far_as_its_window() {
    let (mut folder, _) = of(&tiny::named("llama-0"));
    folder.config.insert("model_type".into(), "mistral".into());
    let mut last = |window: Value, tokens: &[u32]| {
        folder.config.insert("sliding_window".into(), window);
        folder.config.insert("num_hidden_layers".into(), json!(1));
        folder.tensors.retain(|tensor| {
            let mut parts = tensor.name.split('.').skip(1);
            parts.next() != Some("layers") || parts.next() == Some("0")
        });
        logits(load(&folder).unwrap(), tokens)
    };
    let (near, far) = ([1, 2, 3, 4], [9, 2, 3, 4]);
    assert_eq!(last(json!(3), &near), last(json!(3), &far));
    assert_ne!(last(json!(4), &near), last(json!(4), &far));
    assert_ne!(last(Value::Null, &near), last(Value::Null, &far));
}

/// Why a safetensors file is refused; empty: it is not.
fn code(bytes: Vec<u8>) -> &'static str {
    let refused = Safetensors::from_bytes(bytes).err();
    refused.map_or("", |error| error.code())
}

/// The header of one tensor.
fn tensor(kind: &str, shape: &str, offsets: &str) -> String {
    format!(r#"{{"a":{{"dtype":"{kind}","shape":{shape},"data_offsets":{offsets}}}}}"#)
}

#[test]
fn bad_safetensors_are_refused() {
    let good = tensor("F32", "[2,1]", "[0,8]");
    assert_eq!(code(raw(&good, &[0; 8])), "");
    assert_eq!(code(Vec::new()), "safetensors.header_length");
    assert_eq!(code(vec![255; 16]), "safetensors.header_length");
    assert_eq!(
        code(vec![9, 0, 0, 0, 0, 0, 0, 0]),
        "safetensors.header_length"
    );
    assert_eq!(code(raw("{", &[])), "safetensors.header");
    assert_eq!(code(raw("{} x", &[])), "safetensors.header");
    assert_eq!(
        code(raw(&tensor("Q9", "[2]", "[0,8]"), &[0; 8])),
        "safetensors.header"
    );
    assert_eq!(
        code(raw(&tensor("F32", "[-2]", "[0,8]"), &[0; 8])),
        "safetensors.header"
    );
    assert_eq!(
        code(raw(&tensor("F32", "[2]", "[4,12]"), &[0; 12])),
        "safetensors.offsets"
    );
    assert_eq!(
        code(raw(&tensor("F32", "[3]", "[0,8]"), &[0; 8])),
        "safetensors.offsets"
    );
    let most = u64::MAX;
    let overflow = tensor("F32", &format!("[{most},{most}]"), "[0,8]");
    assert_eq!(code(raw(&overflow, &[0; 8])), "safetensors.offsets");
    assert_eq!(code(raw(&good, &[0; 9])), "safetensors.length");
    assert_eq!(code(raw(&good, &[0; 7])), "safetensors.length");
}

#[test]
fn tensors_larger_than_any_file_are_refused() {
    // Each tensor as large as its shape says, all of them together larger than any file.
    let size = (1_u64 << 61) - 1;
    let many = (0..8).map(|at| {
        let (start, end) = (at * size, (at + 1) * size);
        format!(r#""{at}":{{"dtype":"U8","shape":[{size}],"data_offsets":[{start},{end}]}}"#)
    });
    let many = format!("{{{}}}", many.collect::<Vec<_>>().join(","));
    assert_eq!(code(raw(&many, &[])), "safetensors.length");
}

#[test]
fn headers_that_can_be_read_in_two_ways_are_refused() {
    let good = tensor("F32", "[2,1]", "[0,8]");
    let twice = format!(
        r#"{{"a":{0},"a":{0}}}"#,
        r#"{"dtype":"F32","shape":[0],"data_offsets":[0,0]}"#
    );
    assert_eq!(code(raw(&twice, &[])), "safetensors.header");
    let dtype_twice = good.replace(r#""dtype""#, r#""dtype":"F32","dtype""#);
    assert_eq!(code(raw(&dtype_twice, &[0; 8])), "safetensors.header");
    let texts = r#"{"__metadata__":{"format":"pt"}}"#;
    assert_eq!(code(raw(texts, &[])), "");
    assert_eq!(
        code(raw(&texts.replace(r#""pt""#, "1"), &[])),
        "safetensors.header"
    );
    let long = format!("{{}}{}", " ".repeat(16 << 20));
    assert_eq!(code(raw(&long, &[])), "safetensors.header_length");
}

#[test]
fn tensors_that_cannot_be_run_are_refused() {
    let code = |kind: &str, shape: &str, bytes: usize| {
        let header =
            format!(r#"{{"a":{{"dtype":"{kind}","shape":{shape},"data_offsets":[0,{bytes}]}}}}"#);
        let file = Safetensors::from_bytes(raw(&header, &vec![0; bytes])).unwrap();
        let refused: Option<SafetensorsError> = file.tensor("a").err();
        refused.map_or("", |error| error.code())
    };
    assert_eq!(code("BF16", "[2]", 4), "");
    assert_eq!(code("I64", "[1]", 8), "safetensors.tensor_type");
    assert_eq!(code("F32", "[1,1,1]", 4), "safetensors.shape");
    assert_eq!(code("F32", "[]", 4), "safetensors.shape");
    assert_eq!(code("F32", "[0,1]", 0), "safetensors.shape");
    let file = Safetensors::from_bytes(raw("{}", &[])).unwrap();
    assert_eq!(
        file.tensor("a").err().unwrap().code(),
        "safetensors.missing_tensor"
    );
}
