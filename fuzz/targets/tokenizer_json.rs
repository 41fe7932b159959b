//! A `tokenizer.json` of any text: what is accepted tokenizes.
#![no_main]

use engine::tokenizer::{SpecialTokens, Tokenizer, TokenizerJson};
use narthex_fuzz::seeds;

libfuzzer_sys::fuzz_target!(init: plant(), |data: &[u8]| check(data));

fn check(data: &[u8]) {
    let Ok(parsed) = TokenizerJson::parse(data) else {
        return;
    };
    if let Ok(tokenizer) = Tokenizer::new(&parsed.source()) {
        let ids =
            tokenizer.encode_prompt("Going, go! <|b|>[SEP] 東京", SpecialTokens::Outside(&[]));
        assert!(
            ids.iter()
                .all(|id| (*id as usize) < tokenizer.vocabulary_len())
        );
    }
}

fn plant() {
    let bert = br###"{"added_tokens":[{"id":0,"special":true,"content":"[UNK]"},{"id":1,"special":true,"content":"[CLS]"},{"id":2,"special":true,"content":"[SEP]"}],
        "normalizer":{"type":"BertNormalizer","clean_text":true,"handle_chinese_chars":true,"strip_accents":null,"lowercase":true},
        "pre_tokenizer":{"type":"BertPreTokenizer"},
        "post_processor":{"type":"TemplateProcessing","single":[{"SpecialToken":{"id":"[CLS]"}},{"Sequence":{"id":"A"}},{"SpecialToken":{"id":"[SEP]"}}],
            "special_tokens":{"[CLS]":{"ids":[1]},"[SEP]":{"ids":[2]}}},
        "model":{"type":"WordPiece","unk_token":"[UNK]","continuing_subword_prefix":"##","max_input_chars_per_word":100,"vocab":{"[UNK]":0,"[CLS]":1,"[SEP]":2,"go":3,"##ing":4,"!":5}}}"###;
    let gpt2 = br###"{"added_tokens":[{"id":4,"special":true,"content":"<|b|>"}],"pre_tokenizer":{"type":"ByteLevel","add_prefix_space":false},
        "post_processor":{"type":"ByteLevel"},"model":{"type":"BPE","vocab":{"g":0,"o":1,"go":2,"!":3},"merges":["g o"]}}"###;
    seeds::plant([bert.to_vec(), gpt2.to_vec()]);
}
