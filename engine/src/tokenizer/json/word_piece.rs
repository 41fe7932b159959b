//! WordPiece in `tokenizer.json`: BERT's.

use std::collections::HashMap;

use serde::Deserialize;

use super::{File, NORMAL, TokenizerJson, flag, kind};
use crate::tokenizer::{Case, Normalization, TokenizerError, vocabulary::SPACE};

#[derive(Deserialize)]
pub(super) struct Model {
    unk_token: String,
    continuing_subword_prefix: String,
    max_input_chars_per_word: usize,
    vocab: HashMap<String, u32>,
}

pub(super) fn read(file: &File, model: &Model) -> Result<TokenizerJson, TokenizerError> {
    if model.continuing_subword_prefix != "##" || model.max_input_chars_per_word != 100 {
        return Err(TokenizerError::Json("its words are cut in an unknown way"));
    }
    if kind(file.pre_tokenizer.as_ref()) != "BertPreTokenizer" {
        return Err(TokenizerError::Json("its pre-tokenizer is not BERT's"));
    }
    let (texts, kinds) = file.tokens(&model.vocab)?;
    let spelled = texts.iter().zip(&kinds);
    let (bos, separator) = file.around()?;
    Ok(TokenizerJson {
        model: "bert",
        pre_tokenizer: "",
        normalization: Normalization::AsWritten,
        tokens: spelled.map(|(text, kind)| spell(text, *kind)).collect(),
        kinds,
        merges: Vec::new(),
        bos,
        unknown: model.vocab.get(&model.unk_token).copied(),
        separator,
        case: case(file)?,
        added: file.added(),
    })
}

/// The first token of a word has U+2581 before it, a continuation nothing.
fn spell(text: &str, kind: i32) -> String {
    match text.strip_prefix("##") {
        _ if kind != NORMAL => text.to_owned(),
        Some(rest) if !rest.is_empty() => rest.to_owned(),
        _ => [SPACE, text].concat(),
    }
}

fn case(file: &File) -> Result<Case, TokenizerError> {
    let normalizer = file.normalizer.as_ref();
    let on = |name| flag(normalizer, name) == Some(true);
    if kind(normalizer) != "BertNormalizer" || !on("clean_text") || !on("handle_chinese_chars") {
        return Err(TokenizerError::Json("its normalizer is not BERT's"));
    }
    let lower = on("lowercase");
    match (lower, flag(normalizer, "strip_accents").unwrap_or(lower)) {
        (true, true) => Ok(Case::Folded),
        (false, false) => Ok(Case::Kept),
        _ => Err(TokenizerError::Normalizer),
    }
}
