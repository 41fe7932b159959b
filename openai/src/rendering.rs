//! Answers in OpenAI's shapes: whole documents, and the events of a stream.

mod chat;
mod logprobs;
mod text;

pub(crate) use chat::ChatRendering;
pub(crate) use logprobs::content as logprobs_content;
pub(crate) use text::TextRendering;

use super::{ApiError, made::Made};
use attestation::{Digest, UnixTime};
use engine::Usage;
use serde::Serialize;
use serde_json::{Value, json};

/// One answer in the making. What it returns is a part of the body.
pub trait Rendering: Send {
    /// The events before the first token.
    fn opening(&mut self) -> Vec<u8>;

    /// The events of what was made of choice `index` since it was told last.
    fn tell(&mut self, index: usize, made: Made) -> Vec<u8>;

    /// The events after the last token of the last choice.
    fn ending(&mut self, usage: Usage) -> Vec<u8>;

    /// The event of an error that comes after the head.
    fn failure(&mut self, error: &ApiError) -> Vec<u8> {
        framed(&error.to_json())
    }

    /// The whole answer as one document.
    fn whole(&mut self, choices: Vec<Made>, usage: Usage) -> Vec<u8>;
}

/// What every part of one answer repeats.
#[derive(Clone, Debug)]
pub struct Heading {
    /// Names the exchange, and so the answer.
    pub request_id: [u8; 16],
    /// When the request came.
    pub created: UnixTime,
    /// Its public name.
    pub model: String,
    /// What computes, in short.
    pub fingerprint: String,
}

/// A document or an event of a completion, in OpenAI's order of fields.
#[derive(Serialize)]
struct Completion<'a> {
    id: String,
    object: &'static str,
    created: u64,
    model: &'a str,
    system_fingerprint: &'a str,
    choices: Vec<Value>,
    #[serde(skip_serializing_if = "Option::is_none")]
    usage: Option<Value>,
}

/// `system_fingerprint`: names the model file and the kernels.
pub fn fingerprint(model: &Digest, kernels: &Digest) -> String {
    let digest = attestation::hash::sha256_fields("narthex/1/fingerprint", &[model, kernels]);
    let short = digest.first_chunk::<8>().copied().unwrap_or_default();
    format!("fp_{}", hex::encode(short))
}

impl Heading {
    /// The id of the answer: the request's, with OpenAI's prefix for its kind.
    pub fn id(&self, prefix: &str) -> String {
        format!("{prefix}{}", hex::encode(self.request_id))
    }

    fn completion(&self, prefix: &str, object: &'static str) -> Completion<'_> {
        Completion {
            id: self.id(prefix),
            object,
            created: self.created.0,
            model: &self.model,
            system_fingerprint: &self.fingerprint,
            choices: Vec::new(),
            usage: None,
        }
    }
}

impl Completion<'_> {
    /// Usage of an event: where it was asked for, every event has the field, at null until the last.
    fn into_event(mut self, choice: Value, counts: bool) -> Vec<u8> {
        self.choices = vec![choice];
        self.usage = counts.then_some(Value::Null);
        framed(&to_json(&self))
    }

    /// The events that end a stream.
    fn into_ending(mut self, usage: Option<Usage>) -> Vec<u8> {
        self.usage = usage.map(usage_json);
        let counted = self.usage.is_some().then(|| framed(&to_json(&self)));
        [counted.unwrap_or_default(), framed(b"[DONE]")].concat()
    }

    fn into_document(mut self, choices: Vec<Value>, usage: Usage) -> Vec<u8> {
        self.choices = choices;
        self.usage = Some(usage_json(usage));
        to_json(&self)
    }
}

fn usage_json(usage: Usage) -> Value {
    json!({
        "prompt_tokens": usage.prompt_tokens,
        "completion_tokens": usage.completion_tokens,
        "total_tokens": u64::from(usage.prompt_tokens) + u64::from(usage.completion_tokens),
        "prompt_tokens_details": {"cached_tokens": usage.cached_tokens},
    })
}

/// The object `json` with what the object `more` adds.
pub(crate) fn with(mut json: Value, more: Value) -> Value {
    if let (Value::Object(fields), Value::Object(more)) = (&mut json, more) {
        fields.extend(more);
    }
    json
}

/// JSON of maps with text keys and finite numbers only, which cannot fail; an empty event would be the visible sign of a mistake here.
pub(crate) fn to_json(answer: &impl Serialize) -> Vec<u8> {
    serde_json::to_vec(answer).unwrap_or_default()
}

/// One server-sent event without a name.
pub(crate) fn framed(data: &[u8]) -> Vec<u8> {
    [b"data: ", data, b"\n\n"].concat()
}

#[cfg(test)]
pub(crate) mod tests {
    use super::*;

    pub(crate) const USAGE: Usage = Usage {
        prompt_tokens: 3,
        cached_tokens: 2,
        completion_tokens: 4,
    };

    pub(crate) fn heading() -> Heading {
        Heading {
            request_id: [0xab; 16],
            created: UnixTime(1000),
            model: "m".to_owned(),
            fingerprint: fingerprint(&[1; 32], &[2; 32]),
        }
    }

    pub(crate) fn text(text: &str) -> Made {
        let mut made = Made::default();
        made.push_text(text);
        made
    }

    /// The events, without `[DONE]`.
    pub(crate) fn events(bytes: &[u8]) -> Vec<Value> {
        let text = str::from_utf8(bytes).unwrap();
        let data = text.lines().filter_map(|line| line.strip_prefix("data: "));
        let data = data.filter(|data| *data != "[DONE]");
        data.map(|data| serde_json::from_str(data).unwrap())
            .collect()
    }

    #[test]
    fn the_fingerprint_names_model_and_kernels() {
        assert_ne!(
            fingerprint(&[1; 32], &[2; 32]),
            fingerprint(&[1; 32], &[3; 32])
        );
        assert_ne!(
            fingerprint(&[1; 32], &[2; 32]),
            fingerprint(&[2; 32], &[2; 32])
        );
    }
}
