//! Model folders of safetensors: read as the GGUF file of the same weights, and refused for every reason there is.
#![expect(clippy::unwrap_used, reason = "a test")]

use crate::tiny;
use std::{fs, path::Path, sync::Arc};

use crate::model_folder::{Entry, Folder, raw, safetensors};
use engine::{
    decoder::{Decoder, KvCache},
    folder::ModelFolder,
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

#[test]
fn weights_may_lie_in_several_files() {
    let case = tiny::named("qwen3-0");
    let tokens = tiny::tokens(&case);
    let (folder, _) = of(&case);
    let whole = logits(load(&folder).unwrap(), &tokens);
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
    let index = path.join("model.safetensors.index.json");
    let write = |map: &Map<String, Value>| {
        fs::write(&index, json!({"weight_map": map}).to_string()).unwrap();
        ModelFolder::open(&path)
    };
    let code = |map: &Map<String, Value>| write(map).err().map_or("", |error| error.code());
    let model = Model::take_folder(&mut write(&map).unwrap()).unwrap();
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
    fs::write(path.join("model.safetensors"), "").unwrap();
    assert_eq!(code(&map), "folder.two_weights");
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
    let large = fs::File::create(empty.path().join("vocab.txt")).unwrap();
    large.set_len((64 << 20) + 1).unwrap();
    assert_eq!(code(empty.path()), "folder.too_large");
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
    folder.tensors.push(Entry {
        name: "stray".to_owned(),
        dtype: "F32",
        shape: vec![1],
        bytes: vec![0; 4],
    });
    assert_eq!(load(&folder).err().unwrap().code(), "model.unknown_tensor");
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

#[test]
fn bad_safetensors_are_refused() {
    let code = |bytes: Vec<u8>| {
        Safetensors::from_bytes(bytes)
            .err()
            .map_or("", |e| e.code())
    };
    let tensor = |kind: &str, shape: &str, offsets: &str| {
        format!(r#"{{"a":{{"dtype":"{kind}","shape":{shape},"data_offsets":{offsets}}}}}"#)
    };
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
