//! `tokenizer.json`: what it becomes, and what is refused because it asks for something that is not done here.

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
            "special_tokens": {
                "[CLS]": { "id": "[CLS]", "ids": [1], "tokens": ["[CLS]"] },
                "[SEP]": { "id": "[SEP]", "ids": [2], "tokens": ["[SEP]"] },
            },
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
                    "special_tokens": { "<|begin|>": { "id": "<|begin|>", "ids": [5], "tokens": ["<|begin|>"] } },
                },
            ],
        },
        "decoder": { "type": "ByteLevel", "add_prefix_space": true, "trim_offsets": true, "use_regex": true },
        "model": {
            "type": "BPE", "ignore_merges": true, "vocab": { "a": 0, "b": 1, "Ġ": 2, "ab": 3, "Ġab": 4 }, "merges": ["a b", ["Ġ", "ab"]],
        },
    })
}

/// The same with Qwen's rules.
fn qwen() -> Value {
    let mut file = llama();
    let first = "/pre_tokenizer/pretokenizers/0/pattern/Regex";
    *file.pointer_mut(first).unwrap() = json!(LLAMA3.replace("{1,3}", ""));
    file["model"]["ignore_merges"] = json!(false);
    file
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

/// Ids 6 to 8 are a composed character, and its bytes.
fn composing() -> Value {
    let mut file = qwen();
    file["normalizer"] = json!({ "type": "NFC" });
    for (text, id) in [("Ã", 6), ("©", 7), ("Ã©", 8)] {
        file["model"]["vocab"][text] = json!(id);
    }
    let merges = file["model"]["merges"].as_array_mut();
    merges.unwrap().push(json!("Ã ©"));
    file
}

#[test]
fn text_is_composed_where_the_file_says_so() {
    let tokenizer = read(&composing()).unwrap();
    let ids = |text| tokenizer.encode(text, SpecialTokens::Outside(&[]));
    assert_eq!(ids("ab\u{e9}"), [3, 8]);
    assert_eq!(ids("abe\u{301}"), [3, 8], "the same character");
    assert_eq!(ids("e\u{301}<|begin|>e\u{301}"), [8, 5, 8]);
    assert_eq!(ids("e<|begin|>\u{301}ab"), [5, 3], "each part alone");
    let prompt = |text, most| tokenizer.encode_prompt_within(text, SpecialTokens::Never, most);
    assert_eq!(prompt("e\u{301}e\u{301}", 3), Some(vec![5, 8, 8]));
    assert_eq!(prompt("e\u{301}e\u{301}", 2), None);

    let mut written = composing();
    written["normalizer"] = Value::Null;
    let written = read(&written).unwrap();
    let apart = written.encode("e\u{301}\u{e9}", SpecialTokens::Never);
    assert_eq!(apart, [8], "the other bytes are no tokens");
    assert_ne!(written.digest(), tokenizer.digest());
}

/// [`composing`] with all bytes, so that a text's length says how many tokens it has at least; four syllables are a token, the longest there is.
fn counting() -> Value {
    let mut file = composing();
    let syllable = ["í", "ķ", "ľ"].concat();
    let (two, four) = (syllable.repeat(2), syllable.repeat(4));
    let merges = json!(["a b", "í ķ", "íķ ľ", ["íķľ", "íķľ"], [two, two]]);
    let known = [
        "a",
        "b",
        "Ġ",
        "ab",
        "Ġab",
        "<|begin|>",
        "íķ",
        &syllable,
        &two,
        &four,
    ];
    let missing = byte_alphabet()
        .map(String::from)
        .filter(|c| !known.contains(&c.as_str()));
    let known = known.into_iter().map(str::to_owned);
    let tokens = known.chain(missing).zip(0..);
    file["model"]["vocab"] = tokens.map(|(text, id)| (text, json!(id))).collect();
    file["model"]["merges"] = merges;
    file
}

#[test]
fn texts_that_shrink_or_grow_are_counted_as_they_are_read() {
    let tokenizer = read(&counting()).unwrap();
    let fits = |text: &str, most| {
        let ids = tokenizer.encode_prompt_within(text, SpecialTokens::Never, most);
        ids.is_some_and(|ids| ids.len() == most)
    };
    for (part, times, tokens) in [
        ("한", 100, 25),
        ("\u{1112}\u{1161}\u{11ab}", 100, 25),
        ("\u{1fbe}\u{308}\u{301}", 100, 200),
        ("\u{1d160}", 100, 1200),
    ] {
        let text = part.repeat(times);
        assert!(fits(&text, tokens + 1), "{part}");
        let more = tokenizer.encode_prompt_within(&text, SpecialTokens::Never, tokens);
        assert_eq!(more, None, "{part}");
    }
}

#[test]
fn added_tokens_are_found_before_text_is_composed() {
    for (special, normalized) in [(true, json!(true)), (false, Value::Null)] {
        let mut file = composing();
        let added = json!({ "id": 5, "special": special, "content": "<|begin|>", "normalized": normalized });
        file["added_tokens"] = json!([added]);
        let refused = read(&file).err().unwrap();
        assert_eq!(refused.code(), "tokenizer.json", "{added}");
        file["normalizer"] = Value::Null;
        assert!(read(&file).is_ok(), "nothing is normalized");
    }
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
        file["model"]["ignore_merges"] = json!(false);
        let parsed = TokenizerJson::parse(file.to_string().as_bytes()).unwrap();
        assert_eq!(parsed.source().pre_tokenizer, name);
    }
    let parsed = TokenizerJson::parse(qwen().to_string().as_bytes()).unwrap();
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
        ("/post_processor/special_tokens/[CLS]/ids", json!([2])),
        ("/post_processor/special_tokens/[SEP]/ids", json!([2, 2])),
        ("/post_processor/special_tokens/[SEP]", json!({})),
        ("/post_processor/special_tokens", json!({})),
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
        ("/normalizer", json!({})),
        ("/normalizer", json!({ "type": "" })),
        (
            "/normalizer",
            json!({ "normalizers": [{ "type": "Lowercase" }] }),
        ),
        ("/pre_tokenizer", Value::Null),
        ("/pre_tokenizer", json!({})),
        ("/pre_tokenizer/type", json!("Other")),
        ("/pre_tokenizer/pretokenizers/0/type", json!("Other")),
        ("/pre_tokenizer/pretokenizers/1/type", json!("Other")),
        ("/post_processor", json!({})),
        ("/post_processor/processors/0", json!({})),
        (
            "/post_processor/processors/1/special_tokens/<|begin|>/ids",
            json!([4]),
        ),
        ("/decoder", json!({})),
        ("/decoder/type", json!("Metaspace")),
        ("/model/type", json!("")),
        ("/model/ignore_merges", json!(false)),
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
        ("/added_tokens/0/content", json!("<|a b|>")),
    ] {
        let refused = refusal(llama(), pointer, changed);
        assert_eq!(refused.code(), "tokenizer.json", "{pointer}");
    }
}

#[test]
fn byte_pairs_of_other_models_are_refused() {
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
    let mut ending = llama();
    ending["model"]["end_of_word_suffix"] = json!("");
    assert!(read(&ending).is_ok(), "an empty suffix is none");
    let ignored = refusal(qwen(), "/model/ignore_merges", json!(true));
    assert_eq!(ignored.code(), "tokenizer.json");
    let mut ending = llama();
    ending["post_processor"]["processors"][1]["single"] = json!([{ "SpecialToken": { "id": "<|begin|>" } }, { "Sequence": {} }, { "SpecialToken": { "id": "<|begin|>" } }]);
    assert_eq!(read(&ending).err().unwrap(), TokenizerError::AddEos);
    assert_eq!(
        refusal(llama(), "/model/merges/0", json!("a c")),
        TokenizerError::Merge(0)
    );
}

#[test]
fn ids_are_those_of_one_token_each() {
    let twice = TokenizerError::Json("two tokens have one id");
    let mut ordinary = llama();
    ordinary["model"]["vocab"]["c"] = json!(4);
    assert_eq!(read(&ordinary).err().unwrap(), twice);
    let mut added = llama();
    added["added_tokens"] = json!([
        { "id": 5, "special": true, "content": "<|begin|>" },
        { "id": 5, "special": false, "content": "<|begin|>" },
    ]);
    assert_eq!(read(&added).err().unwrap(), twice);
    let mut both = llama();
    both["model"]["vocab"]["<|begin|>"] = json!(5);
    assert!(read(&both).is_ok(), "added to what the vocabulary has");
}

/// The characters of GPT-2's byte alphabet.
fn byte_alphabet() -> impl Iterator<Item = char> {
    let visible = ('!'..='~').chain('¡'..='¬').chain('®'..='ÿ');
    visible.chain((0x100..0x144).filter_map(char::from_u32))
}

#[test]
fn an_unknown_token_stands_for_no_byte() {
    let mut file = llama();
    file["model"]["unk_token"] = json!("<|begin|>");
    let refused = read(&file).err().unwrap();
    assert_eq!(refused.code(), "tokenizer.json", "most bytes have no token");
    let missing = byte_alphabet().filter(|c| !"abĠ".contains(*c));
    for (id, character) in (6..).zip(missing) {
        file["model"]["vocab"][character.to_string()] = json!(id);
    }
    assert!(read(&file).is_ok(), "every byte has its own");
}

#[test]
fn what_is_no_json_is_refused() {
    for bad in ["", "{", "[]", "{}", "{\"model\":{}}"] {
        let refused = TokenizerJson::parse(bad.as_bytes()).err().unwrap();
        assert_eq!(refused.code(), "tokenizer.json", "{bad}");
    }
}
