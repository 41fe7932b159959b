//! Folders of decoders that cannot be served as they are: every file wrong in its own way, every way with its code; and which template counts.

use crate::{real_model, tiny};
use std::{fs, path::Path};

use crate::model_folder::{Folder, GENERATION, SETTINGS, SPECIAL_TOKENS_MAP, TOKENIZER};
use engine::{
    Prompt,
    chat::Message,
    gguf::Gguf,
    local::{self, LoadError, LocalConfig, LocalEngine},
};
use serde_json::{Value, json};

fn config() -> LocalConfig {
    LocalConfig {
        threads: 1,
        max_sequences: 1,
        max_context: 64,
        ..LocalConfig::default()
    }
}

fn folder() -> Folder {
    Folder::speaking(&Gguf::from_bytes(tiny::speaking("qwen3-1").bytes()).unwrap())
}

fn code(path: &Path) -> &'static str {
    let refused: Option<LoadError> = local::open(path, None, config()).err();
    refused.map_or("", |error| error.code())
}

/// Why a folder is refused once it is changed; empty: it is not.
fn refusal(change: impl FnOnce(&mut Folder)) -> &'static str {
    let mut folder = folder();
    change(&mut folder);
    code(&folder.write())
}

/// What a folder without a template answers a chat of one message with, given these places for one.
fn rendered(own: Option<&[u8]>, other: Value) -> Result<usize, &'static str> {
    let mut folder = folder();
    folder.set(SETTINGS, "chat_template", other);
    let path = folder.write();
    if let Some(text) = own {
        fs::write(path.join("chat_template.jinja"), text).unwrap();
    }
    let engine = LocalEngine::load(&path, config()).map_err(|error| error.code())?;
    let ids = engine.encode(&Prompt::Chat(vec![Message::new("user", "a")].into()));
    Ok(ids.map_err(|error| error.code())?.len())
}

#[test]
fn the_template_is_the_one_that_there_is() {
    const ONE: &str = "{{ messages[0]['content'] }}b";
    const THREE: &str = "{{ messages[0]['content'] }}cd";
    let entry = |name: &str, text: &str| json!({"name": name, "template": text});
    let list = json!([entry("tool_use", ONE), entry("default", THREE)]);
    assert_eq!(rendered(None, json!(ONE)), Ok(1), "a pair is a token");
    for (own, other, expected) in [
        (None, json!(THREE), Ok(3)),
        (None, list.clone(), Ok(3)),
        (Some(THREE), Value::Null, Ok(3)),
        (Some(THREE), json!(THREE), Ok(3)),
        (Some(THREE), list.clone(), Ok(3)),
        (None, Value::Null, Err("chat.no_template")),
        (Some(ONE), json!(THREE), Err("chat.ambiguous")),
        (Some(ONE), list, Err("chat.ambiguous")),
        (None, json!([entry("tool_use", ONE)]), Err("chat.ambiguous")),
        (None, json!([]), Err("chat.ambiguous")),
        (
            None,
            json!([entry("default", ONE), entry("default", ONE)]),
            Err("chat.ambiguous"),
        ),
        (None, json!([{"name": "default"}]), Err("chat.source")),
        (None, json!([THREE]), Err("chat.source")),
        (None, json!({"default": THREE}), Err("chat.source")),
        (None, json!(1), Err("chat.source")),
        (None, json!("{% for %}"), Err("chat.syntax")),
    ] {
        let own = own.map(str::as_bytes);
        assert_eq!(rendered(own, other.clone()), expected, "{other}");
    }
    assert_eq!(rendered(Some(b"\xff"), Value::Null), Err("chat.source"));
}

#[test]
fn what_stands_before_and_behind_texts_has_to_be_clear() {
    let another = |folder: &mut Folder| folder.put_before("<|im_end|>");
    assert_eq!(refusal(another), "tokenizer.settings");
    let nothing = |folder: &mut Folder| {
        folder.set(SETTINGS, "add_bos_token", json!(true));
        folder.set(SETTINGS, "bos_token", Value::Null);
    };
    assert_eq!(refusal(nothing), "tokenizer.special_id");
    let both = |folder: &mut Folder| folder.set(SETTINGS, "add_eos_token", json!(true));
    assert_eq!(refusal(both), "tokenizer.add_eos");
}

#[test]
fn values_that_cannot_be_right_are_refused() {
    let settings = "tokenizer.settings";
    for (file, key, value, code) in [
        (SETTINGS, "bos_token", json!("<s>"), settings),
        (SETTINGS, "bos_token", json!(1), settings),
        (SETTINGS, "eos_token", json!({"text": "a"}), settings),
        (SETTINGS, "eos_token", json!({"content": 2}), settings),
        (SETTINGS, "eos_token", json!(["<|im_end|>"]), settings),
        (SETTINGS, "add_bos_token", json!("true"), settings),
        (SETTINGS, "add_eos_token", json!(0), settings),
        (SETTINGS, "added_tokens_decoder", json!([]), settings),
        (SETTINGS, "added_tokens_decoder", json!({"2": {}}), settings),
        (GENERATION, "eos_token_id", json!("2"), settings),
        (GENERATION, "eos_token_id", json!(-1), settings),
        (GENERATION, "eos_token_id", json!(2.5), settings),
        (GENERATION, "eos_token_id", json!(1_u64 << 32), settings),
        (GENERATION, "eos_token_id", json!([2, null]), settings),
        (GENERATION, "eos_token_id", json!([[2]]), settings),
        (GENERATION, "eos_token_id", json!(vec![2; 65]), settings),
        (
            GENERATION,
            "eos_token_id",
            json!(100_000),
            "tokenizer.special_id",
        ),
        (TOKENIZER, "model", json!({"type": "BPE"}), "tokenizer.json"),
        (TOKENIZER, "added_tokens", json!([]), "tokenizer.json"),
    ] {
        let found = refusal(|folder| folder.set(file, key, value.clone()));
        assert_eq!(found, code, "{file} {key} {value}");
    }
    for (key, value, code) in [
        ("eos_token_id", json!(true), settings),
        ("eos_token_id", json!([100_000]), "tokenizer.special_id"),
        ("model_type", json!("gemma3_text"), "model.architecture"),
        ("model_type", json!(["qwen3"]), "model.config"),
        ("model_type", Value::Null, "model.architecture"),
        ("model_type", json!("qwen2"), "safetensors.missing_tensor"),
        ("hidden_size", json!(0), "model.config"),
    ] {
        let found = refusal(|folder| drop(folder.config.insert(key.to_owned(), value.clone())));
        assert_eq!(found, code, "{key} {value}");
    }
    for (id, text) in [
        ("2", "<|im_start|>"),
        ("02", "<|im_end|>"),
        ("+2", "<|im_end|>"),
        ("100000", "<new>"),
        ("x", "<new>"),
    ] {
        let added = json!({id: {"content": text, "special": true}});
        let found = refusal(|folder| folder.set(SETTINGS, "added_tokens_decoder", added));
        assert_eq!(found, settings, "{id} {text}");
    }
}

/// Why a folder is refused whose `file` has this value too.
fn refusal_of(file: &'static str, key: &str, value: Value) -> &'static str {
    refusal(|folder| folder.set(file, key, value))
}

#[test]
fn added_tokens_are_the_same_in_both_files() {
    const KEY: &str = "added_tokens_decoder";
    let settings = "tokenizer.settings";
    let whole = json!({
        "content": "<|im_end|>", "special": true, "lstrip": false, "normalized": false, "rstrip": false, "single_word": false,
    });
    assert_eq!(refusal_of(SETTINGS, KEY, json!({"2": whole})), "");
    for (key, value) in [
        ("content", json!("<|im_start|>")),
        ("lstrip", json!(true)),
        ("lstrip", Value::Null),
        ("normalized", json!(true)),
        ("rstrip", json!(true)),
        ("single_word", json!(true)),
        ("special", json!(false)),
        ("special", json!(1)),
    ] {
        let mut entry = whole.clone();
        entry[key] = value;
        let refused = refusal_of(SETTINGS, KEY, json!({"2": entry}));
        assert_eq!(refused, settings, "{entry}");
    }
    let unsaid = json!({"2": {"content": "<|im_end|>"}});
    assert_eq!(refusal_of(SETTINGS, KEY, unsaid), settings, "not special");
    for special in [true, false] {
        let ordinary = json!({"3": {"content": "a", "special": special}});
        assert_eq!(refusal_of(SETTINGS, KEY, ordinary), settings);
    }
}

/// `<|endoftext|>` is a token that was added and is not special.
fn with_a_plain_token(folder: &mut Folder) {
    let tokens = &mut folder.files.get_mut(TOKENIZER).unwrap()["added_tokens"];
    assert_eq!(tokens[0]["content"], "<|endoftext|>");
    tokens[0]["special"] = json!(false);
}

#[test]
fn a_token_is_special_in_every_file_or_in_none() {
    let refused = |special: bool, key: &str, value: Value| {
        refusal(|folder| {
            with_a_plain_token(folder);
            let entry = json!({"content": "<|endoftext|>", "special": special});
            folder.set(SETTINGS, "added_tokens_decoder", json!({"0": entry}));
            folder.set(SETTINGS, key, value);
        })
    };
    let settings = "tokenizer.settings";
    assert_eq!(refused(false, "pad_token", Value::Null), "");
    assert_eq!(refused(true, "pad_token", Value::Null), settings);
    for key in ["bos_token", "eos_token", "pad_token"] {
        assert_eq!(refused(false, key, json!("<|endoftext|>")), settings);
    }
}

#[test]
fn tokens_that_are_named_are_special_ones() {
    let settings = "tokenizer.settings";
    for file in [SETTINGS, SPECIAL_TOKENS_MAP] {
        for key in [
            "bos_token",
            "cls_token",
            "eos_token",
            "mask_token",
            "pad_token",
            "sep_token",
            "unk_token",
        ] {
            for token in ["a", "<new>"] {
                let refused = refusal_of(file, key, json!(token));
                assert_eq!(refused, settings, "{file} {key} {token}");
            }
        }
        for (key, value, code) in [
            ("pad_token", json!("<|endoftext|>"), ""),
            ("unk_token", Value::Null, ""),
            ("additional_special_tokens", json!(["<|im_end|>"]), ""),
            ("additional_special_tokens", json!(["<new>"]), settings),
            ("additional_special_tokens", json!(["a"]), settings),
            ("additional_special_tokens", json!("<|im_end|>"), settings),
            ("extra_special_tokens", json!({}), ""),
            ("extra_special_tokens", json!({"end": "<|im_end|>"}), ""),
            ("extra_special_tokens", json!({"new": "<new>"}), settings),
        ] {
            let refused = refusal_of(file, key, value.clone());
            assert_eq!(refused, code, "{file} {key} {value}");
        }
        for flag in ["lstrip", "normalized", "rstrip", "single_word"] {
            let refused = |set: bool| {
                let token = json!({"content": "<|im_end|>", flag: set});
                refusal_of(file, "eos_token", token)
            };
            assert_eq!((refused(false), refused(true)), ("", settings), "{flag}");
        }
    }
}

#[test]
fn a_map_of_special_tokens_names_the_same() {
    for (key, token, code) in [
        ("bos_token", "<|im_start|>", ""),
        ("bos_token", "<|im_end|>", "tokenizer.settings"),
        ("eos_token", "<|im_end|>", ""),
        ("eos_token", "<|endoftext|>", "tokenizer.settings"),
    ] {
        let refused = refusal_of(SPECIAL_TOKENS_MAP, key, json!(token));
        assert_eq!(refused, code, "{key} {token}");
    }
    let alone = refusal(|folder| {
        folder.set(SETTINGS, "eos_token", Value::Null);
        folder.set(SPECIAL_TOKENS_MAP, "eos_token", json!("<|im_end|>"));
    });
    assert_eq!(alone, "tokenizer.settings");
}

#[test]
fn text_is_not_changed_before_it_becomes_tokens() {
    for key in ["add_prefix_space", "split_special_tokens"] {
        for (value, code) in [
            (json!(false), ""),
            (Value::Null, ""),
            (json!(true), "tokenizer.settings"),
            (json!("false"), "tokenizer.settings"),
        ] {
            let refused = refusal_of(SETTINGS, key, value.clone());
            assert_eq!(refused, code, "{key} {value}");
        }
    }
}

#[test]
fn files_that_are_none_are_refused() {
    let folder = folder();
    let path = folder.write();
    for (name, code_of_it) in [
        ("config.json", "model.config"),
        (TOKENIZER, "tokenizer.json"),
        (SETTINGS, "tokenizer.settings"),
        (GENERATION, "tokenizer.settings"),
        ("model.safetensors", "safetensors.header_length"),
    ] {
        let file = path.join(name);
        let whole = fs::read(&file).unwrap();
        fs::write(&file, "[1]").unwrap();
        assert_eq!(code(&path), code_of_it, "{name}");
        if name.ends_with(".json") {
            let text = String::from_utf8(whole.clone()).unwrap();
            let twice = text.replacen('{', r#"{"twice":1,"twice":1,"#, 1);
            fs::write(&file, twice).unwrap();
            assert_eq!(code(&path), code_of_it, "{name} with a key twice");
        }
        fs::write(&file, whole).unwrap();
        assert_eq!(code(&path), "");
    }
    fs::remove_file(path.join(TOKENIZER)).unwrap();
    assert_eq!(code(&path), "tokenizer.json");
    let tokenizer = real_model::minilm().join(TOKENIZER);
    fs::copy(tokenizer, path.join(TOKENIZER)).unwrap();
    assert_eq!(code(&path), "tokenizer.json", "words are for encoders");
    let large = fs::File::create(path.join(SETTINGS)).unwrap();
    large.set_len((64 << 20) + 1).unwrap();
    assert_eq!(code(&path), "folder.too_large");
}

/// The same with another number of rows for tokens.
fn with_rows(folder: &mut Folder, change: impl Fn(usize) -> usize) {
    let rows = folder.config["vocab_size"].as_u64().unwrap() as usize;
    let wanted = change(rows);
    folder.config.insert("vocab_size".into(), wanted.into());
    let by_token = ["model.embed_tokens.weight", "lm_head.weight"];
    let tensors = folder.tensors.iter_mut();
    for tensor in tensors.filter(|tensor| by_token.contains(&tensor.name.as_str())) {
        tensor.bytes.resize(tensor.bytes.len() / rows * wanted, 0);
        tensor.shape[0] = wanted;
    }
}

#[test]
fn tokens_that_the_weights_do_not_know_are_refused() {
    assert_eq!(refusal(|folder| with_rows(folder, |rows| rows)), "");
    let filled_up = |folder: &mut Folder| with_rows(folder, |rows| rows + 7);
    assert_eq!(refusal(filled_up), "", "weights may have more");
    let fewer = |folder: &mut Folder| with_rows(folder, |rows| rows - 1);
    assert_eq!(refusal(fewer), "engine.vocabulary");
    let mut folder = folder();
    fewer(&mut folder);
    let refused = LocalEngine::load(&folder.write(), config()).err().unwrap();
    let message = refused.to_string();
    assert!(message.ends_with("rows: they are not of one model"));
}

#[test]
fn decoders_are_loaded_as_decoders() {
    let encoder = LocalEngine::load(&real_model::minilm(), config()).err();
    assert_eq!(encoder.unwrap().code(), "tokenizer.json");
    let folder = folder();
    let decoder = local::EmbeddingEngine::load(&folder.write(), config()).err();
    assert_eq!(decoder.unwrap().code(), "model.architecture");
}
