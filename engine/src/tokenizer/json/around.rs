//! What the post-processor of a `tokenizer.json` puts around a text.

use serde_json::Value;

use super::{File, TokenizerError};

/// What stands before and behind a text.
type Around<T> = (Option<T>, Option<T>);

/// A special token as a post-processor has it: its text and its id.
type Named<'a> = (&'a str, u64);

impl File {
    /// Ids of the special tokens that the post-processor puts before and behind a text.
    pub(super) fn around(&self) -> Result<Around<u32>, TokenizerError> {
        let Some(processor) = self.post_processor.as_ref() else {
            return Ok((None, None));
        };
        let fault = TokenizerError::Json("its post-processor is not known");
        let (before, after) = template(processor).ok_or(fault.clone())?;
        let id = |named| self.id_of(named).ok_or(fault.clone());
        Ok((before.map(id).transpose()?, after.map(id).transpose()?))
    }

    /// The id of the added token with this text, which has to be the post-processor's too.
    fn id_of(&self, (text, id): Named<'_>) -> Option<u32> {
        let token = self
            .added_tokens
            .iter()
            .find(|token| token.content == text)?;
        (u64::from(token.id) == id).then_some(token.id)
    }
}

/// The special tokens around a text; none: not understood.
fn template(processor: &Value) -> Option<Around<Named<'_>>> {
    match processor.get("type")?.as_str()? {
        "ByteLevel" => Some((None, None)),
        "TemplateProcessing" => {
            let pieces = processor.get("single")?.as_array()?;
            single(pieces, processor.get("special_tokens")?)
        }
        "BertProcessing" => Some((
            Some(pair(processor.get("cls")?)?),
            Some(pair(processor.get("sep")?)?),
        )),
        "Sequence" => {
            let parts = processor.get("processors")?.as_array()?;
            let parts: Option<Vec<_>> = parts.iter().map(template).collect();
            let mut telling = parts?.into_iter().filter(|part| *part != (None, None));
            let first = telling.next().unwrap_or_default();
            telling.next().is_none().then_some(first)
        }
        _ => None,
    }
}

fn single<'a>(pieces: &'a [Value], known: &Value) -> Option<Around<Named<'a>>> {
    let is_text = |piece: &Value| piece.get("Sequence").is_some();
    match pieces {
        [text] if is_text(text) => Some((None, None)),
        [before, text] if is_text(text) => Some((Some(special(before, known)?), None)),
        [before, text, after] if is_text(text) => {
            Some((Some(special(before, known)?), Some(special(after, known)?)))
        }
        _ => None,
    }
}

/// A piece of a template; `known` has the ids that stand for it, which have to be one.
fn special<'a>(piece: &'a Value, known: &Value) -> Option<Named<'a>> {
    let text = piece.get("SpecialToken")?.get("id")?.as_str()?;
    match known.get(text)?.get("ids")?.as_array()?.as_slice() {
        [id] => Some((text, id.as_u64()?)),
        _ => None,
    }
}

/// A list of a text and an id.
fn pair(value: &Value) -> Option<Named<'_>> {
    Some((value.get(0)?.as_str()?, value.get(1)?.as_u64()?))
}
