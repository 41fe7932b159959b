//! `tokenizer.json`: what it becomes, and what is refused because it asks for something that is not done here.
#![allow(missing_docs, clippy::unwrap_used, reason = "tests")]

use engine::tokenizer::{SpecialTokens, Tokenizer, TokenizerError, TokenizerJson};
use serde_json::{Value, json};

const LLAMA3: &str = r"(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}{1,3}| ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+";

fn bert() -> Value {
    json!({
        "added_tokens": [
            { "id": 0, "special": true, "content": "[UNK]" },
            { "id": 1, "special": true, "content": "[CLS]" },
            { "id": 2, "special": true, "content": "[SEP]" },
        ],
        "normalizer": {
            "type": "BertNormalizer", "clean_text": true, "handle_chinese_chars": true, "strip_accents": null, "lowercase": true,
        },
        "pre_tokenizer": { "type": "BertPreTokenizer" },
        "post_processor": {
            "type": "TemplateProcessing",
            "single": [
                { "SpecialToken": { "id": "[CLS]", "type_id": 0 } },
                { "Sequence": { "id": "A", "type_id": 0 } },
                { "SpecialToken": { "id": "[SEP]", "type_id": 0 } },
            ],
        },
        "model": {
            "type": "WordPiece", "unk_token": "[UNK]", "continuing_subword_prefix": "##", "max_input_chars_per_word": 100,
            "vocab": { "[UNK]": 0, "[CLS]": 1, "[SEP]": 2, "go": 3, "##ing": 4, "##": 5, "!": 6 },
        },
    })
}

/// Ids 0 to 4 are of the vocabulary, 5 is added.
fn llama() -> Value {
    json!({
        "added_tokens": [{ "id": 5, "special": true, "content": "<|begin|>" }],
        "normalizer": null,
        "pre_tokenizer": {
            "type": "Sequence",
            "pretokenizers": [
                { "type": "Split", "pattern": { "Regex": LLAMA3 }, "behavior": "Isolated", "invert": false },
                { "type": "ByteLevel", "add_prefix_space": false, "trim_offsets": true, "use_regex": false },
            ],
        },
        "post_processor": {
            "type": "Sequence",
            "processors": [
                { "type": "ByteLevel", "add_prefix_space": true },
                {
                    "type": "TemplateProcessing",
                    "single": [{ "SpecialToken": { "id": "<|begin|>" } }, { "Sequence": { "id": "A" } }],
                },
            ],
        },
        "model": {
            "type": "BPE", "vocab": { "a": 0, "b": 1, "Ġ": 2, "ab": 3, "Ġab": 4 }, "merges": ["a b", ["Ġ", "ab"]],
        },
    })
}

fn read(json: &Value) -> Result<Tokenizer, TokenizerError> {
    let parsed = TokenizerJson::parse(json.to_string().as_bytes())?;
    Tokenizer::new(&parsed.source())
}

fn refusal(mut json: Value, pointer: &str, changed: Value) -> TokenizerError {
    *json.pointer_mut(pointer).unwrap() = changed;
    read(&json).err().unwrap()
}

#[test]
fn word_piece_is_read() {
    let tokenizer = read(&bert()).unwrap();
    let prompt = |text| tokenizer.encode_prompt(text, SpecialTokens::Never);
    assert_eq!(prompt("Going, go!"), [1, 3, 4, 0, 3, 6, 2]);
    assert_eq!(
        prompt("[SEP]"),
        [1, 0, 0, 0, 2],
        "words name no special tokens"
    );
    assert_eq!(
        prompt("go\u{2581}ing"),
        [1, 0, 2],
        "nor the mark of a word's beginning"
    );
    assert_eq!(
        prompt(&"go".repeat(51)),
        [1, 0, 2],
        "a word is of 100 characters at most"
    );
    assert_eq!(tokenizer.decode(&[3, 4, 6]), b"going !");
}

#[test]
fn byte_pairs_are_read() {
    let tokenizer = read(&llama()).unwrap();
    assert_eq!(
        tokenizer.encode_prompt("ab ab", SpecialTokens::Never),
        [5, 3, 4]
    );
    assert_eq!(tokenizer.bos_text(), "<|begin|>");
}

#[test]
fn other_pre_tokenizers_are_known_by_their_rules() {
    let digits = json!({
        "type": "Sequence",
        "pretokenizers": [
            { "type": "Digits", "individual_digits": true },
            { "type": "ByteLevel", "add_prefix_space": false, "use_regex": true },
        ],
    });
    let gpt2 = json!({ "type": "ByteLevel", "add_prefix_space": false });
    for (part, name) in [(digits, "smollm"), (gpt2, "gpt-2")] {
        let mut file = llama();
        file["pre_tokenizer"] = part;
        let parsed = TokenizerJson::parse(file.to_string().as_bytes()).unwrap();
        assert_eq!(parsed.source().pre_tokenizer, name);
    }
    let single = LLAMA3.replace("{1,3}", "");
    let mut file = llama();
    *file
        .pointer_mut("/pre_tokenizer/pretokenizers/0/pattern/Regex")
        .unwrap() = json!(single);
    let parsed = TokenizerJson::parse(file.to_string().as_bytes()).unwrap();
    assert_eq!(parsed.source().pre_tokenizer, "qwen2");
}

#[test]
fn what_is_not_done_here_is_refused() {
    for (pointer, changed) in [
        ("/model/type", json!("Unigram")),
        ("/model/continuing_subword_prefix", json!("@@")),
        ("/model/max_input_chars_per_word", json!(50)),
        ("/pre_tokenizer/type", json!("Whitespace")),
        ("/normalizer/type", json!("NFKC")),
        ("/normalizer/clean_text", json!(false)),
        ("/normalizer/handle_chinese_chars", json!(false)),
        ("/post_processor/type", json!("RobertaProcessing")),
        ("/post_processor/single/0/SpecialToken/id", json!("[BOS]")),
        ("/post_processor/single/1", json!({})),
        ("/model/vocab/go", json!(9)),
        ("/added_tokens/0/id", json!(3)),
    ] {
        let refused = refusal(bert(), pointer, changed);
        assert_eq!(refused.code(), "tokenizer.json", "{pointer}");
    }
    let folded = refusal(bert(), "/normalizer/strip_accents", json!(false));
    assert_eq!(folded, TokenizerError::Normalizer);
    let nameless = refusal(bert(), "/model/unk_token", json!("?"));
    assert_eq!(nameless, TokenizerError::SpecialId);
    let bare = refusal(bert(), "/post_processor", Value::Null);
    assert_eq!(bare, TokenizerError::SpecialId);
}

#[test]
fn byte_pairs_of_other_kinds_are_refused() {
    for (pointer, changed) in [
        ("/normalizer", json!({ "type": "Lowercase" })),
        ("/pre_tokenizer", Value::Null),
        (
            "/pre_tokenizer/pretokenizers/0/pattern/Regex",
            json!("\\s+"),
        ),
        ("/pre_tokenizer/pretokenizers/0/behavior", json!("Removed")),
        ("/pre_tokenizer/pretokenizers/0/invert", json!(true)),
        ("/pre_tokenizer/pretokenizers/1/use_regex", json!(true)),
        (
            "/pre_tokenizer/pretokenizers/1/add_prefix_space",
            json!(true),
        ),
        ("/added_tokens/0/id", json!(7)),
    ] {
        let refused = refusal(llama(), pointer, changed);
        assert_eq!(refused.code(), "tokenizer.json", "{pointer}");
    }
    for (key, value) in [
        ("byte_fallback", json!(true)),
        ("dropout", json!(0.1)),
        ("continuing_subword_prefix", json!("##")),
        ("end_of_word_suffix", json!("</w>")),
    ] {
        let mut file = llama();
        file["model"][key] = value;
        assert_eq!(read(&file).err().unwrap().code(), "tokenizer.json", "{key}");
    }
    for key in ["lstrip", "rstrip", "single_word"] {
        let mut file = llama();
        file["added_tokens"][0][key] = json!(true);
        assert_eq!(read(&file).err().unwrap().code(), "tokenizer.json", "{key}");
    }
    let mut whole = llama();
    whole["model"]["ignore_merges"] = json!(true);
    whole["model"]["end_of_word_suffix"] = json!("");
    assert!(read(&whole).is_ok(), "Llama 3 takes pieces whole");
    whole["pre_tokenizer"] = json!({ "type": "ByteLevel", "add_prefix_space": false });
    assert_eq!(read(&whole).err().unwrap().code(), "tokenizer.json");
    let mut ending = llama();
    ending["post_processor"]["processors"][1]["single"] = json!([{ "SpecialToken": { "id": "<|begin|>" } }, { "Sequence": {} }, { "SpecialToken": { "id": "<|begin|>" } }]);
    assert_eq!(read(&ending).err().unwrap(), TokenizerError::AddEos);
    assert_eq!(
        refusal(llama(), "/model/merges/0", json!("a c")),
        TokenizerError::Merge(0)
    );
}

#[test]
fn what_is_no_json_is_refused() {
    for bad in ["", "{", "[]", "{}", "{\"model\":{}}"] {
        let refused = TokenizerJson::parse(bad.as_bytes()).err().unwrap();
        assert_eq!(refused.code(), "tokenizer.json", "{bad}");
    }
}
