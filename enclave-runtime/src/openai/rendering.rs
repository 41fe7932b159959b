//! Answers in OpenAI's shapes: whole documents, and the events of a stream.

use super::{Delivery, Shape};
use attestation::{Digest, UnixTime};
use engine::FinishReason;
use protocol::Usage;
use serde::Serialize;
use serde_json::{Value, json};

/// What every part of one answer repeats.
#[derive(Clone, Debug)]
pub(crate) struct Rendering {
    pub(crate) shape: Shape,
    pub(crate) delivery: Delivery,
    pub(crate) request_id: [u8; 16],
    pub(crate) created: UnixTime,
    pub(crate) model: String,
    pub(crate) fingerprint: String,
}

/// A document or an event, in OpenAI's order of fields.
#[derive(Serialize)]
struct Answer<'a> {
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
pub(crate) fn fingerprint(model: &Digest, kernels: &Digest) -> String {
    let digest = attestation::hash::sha256_fields("narthex/1/fingerprint", &[model, kernels]);
    let short = digest.first_chunk::<8>().copied().unwrap_or_default();
    format!("fp_{}", hex::encode(short))
}

impl Rendering {
    /// The whole answer as one document.
    pub(crate) fn whole(&self, text: &str, reason: FinishReason, usage: Usage) -> Vec<u8> {
        let choice = match self.shape {
            Shape::Chat => json!({
                "index": 0,
                "message": {"role": "assistant", "content": text, "refusal": null},
                "logprobs": null,
                "finish_reason": finish_reason(reason),
            }),
            Shape::Text => text_choice(text, Some(reason)),
        };
        let mut answer = self.answer(self.document_name(), vec![choice]);
        answer.usage = Some(usage_json(usage));
        to_json(&answer)
    }

    /// The first event: who speaks. Only chats have one.
    pub(crate) fn opening(&self) -> Option<Vec<u8>> {
        let delta = json!({"role": "assistant", "content": "", "refusal": null});
        (self.shape == Shape::Chat).then(|| self.event(chat_choice(&delta, None)))
    }

    /// A piece of text.
    pub(crate) fn piece(&self, text: &str) -> Vec<u8> {
        self.event(match self.shape {
            Shape::Chat => chat_choice(&json!({"content": text}), None),
            Shape::Text => text_choice(text, None),
        })
    }

    /// The end: why, the counts if they were asked for, and `[DONE]`.
    pub(crate) fn ending(&self, reason: FinishReason, usage: Usage) -> Vec<u8> {
        let mut events = self.event(match self.shape {
            Shape::Chat => chat_choice(&json!({}), Some(reason)),
            Shape::Text => text_choice("", Some(reason)),
        });
        if self.delivery == Delivery::EventsWithUsage {
            let mut answer = self.answer(self.event_name(), Vec::new());
            answer.usage = Some(usage_json(usage));
            events.extend(framed(&to_json(&answer)));
        }
        events.extend(framed(b"[DONE]"));
        events
    }

    fn event(&self, choice: Value) -> Vec<u8> {
        let mut answer = self.answer(self.event_name(), vec![choice]);
        // With include_usage every event has the field, at null until the last.
        answer.usage = (self.delivery == Delivery::EventsWithUsage).then_some(Value::Null);
        framed(&to_json(&answer))
    }

    fn answer(&self, object: &'static str, choices: Vec<Value>) -> Answer<'_> {
        let prefix = match self.shape {
            Shape::Chat => "chatcmpl",
            Shape::Text => "cmpl",
        };
        Answer {
            id: format!("{prefix}-{}", hex::encode(self.request_id)),
            object,
            created: self.created.0,
            model: &self.model,
            system_fingerprint: &self.fingerprint,
            choices,
            usage: None,
        }
    }

    const fn document_name(&self) -> &'static str {
        match self.shape {
            Shape::Chat => "chat.completion",
            Shape::Text => "text_completion",
        }
    }

    const fn event_name(&self) -> &'static str {
        match self.shape {
            Shape::Chat => "chat.completion.chunk",
            Shape::Text => "text_completion",
        }
    }
}

fn chat_choice(delta: &Value, reason: Option<FinishReason>) -> Value {
    json!({"index": 0, "delta": delta, "logprobs": null, "finish_reason": reason.map(finish_reason)})
}

fn text_choice(text: &str, reason: Option<FinishReason>) -> Value {
    json!({"index": 0, "text": text, "logprobs": null, "finish_reason": reason.map(finish_reason)})
}

const fn finish_reason(reason: FinishReason) -> &'static str {
    match reason {
        FinishReason::Stop => "stop",
        FinishReason::Length => "length",
    }
}

fn usage_json(usage: Usage) -> Value {
    json!({
        "prompt_tokens": usage.prompt_tokens,
        "completion_tokens": usage.completion_tokens,
        "total_tokens": u64::from(usage.prompt_tokens) + u64::from(usage.completion_tokens),
    })
}

/// JSON of maps with text keys and finite numbers only, which cannot fail; an empty event would be the visible sign of a mistake here.
fn to_json(answer: &Answer<'_>) -> Vec<u8> {
    serde_json::to_vec(answer).unwrap_or_default()
}

fn framed(data: &[u8]) -> Vec<u8> {
    [b"data: ", data, b"\n\n"].concat()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rendering(shape: Shape, delivery: Delivery) -> Rendering {
        Rendering {
            shape,
            delivery,
            request_id: [0xab; 16],
            created: UnixTime(1000),
            model: "m".to_owned(),
            fingerprint: fingerprint(&[1; 32], &[2; 32]),
        }
    }

    fn events(bytes: &[u8]) -> Vec<Value> {
        let text = str::from_utf8(bytes).unwrap();
        let parse =
            |event: &str| serde_json::from_str(event.strip_prefix("data: ").unwrap()).unwrap();
        let events = text.strip_suffix("\n\n").unwrap().split("\n\n");
        events
            .filter(|event| *event != "data: [DONE]")
            .map(parse)
            .collect()
    }

    const USAGE: Usage = Usage {
        prompt_tokens: 3,
        completion_tokens: 4,
    };

    #[test]
    fn a_whole_chat() {
        let bytes =
            rendering(Shape::Chat, Delivery::Whole).whole("hi", FinishReason::Length, USAGE);
        let value: Value = serde_json::from_slice(&bytes).unwrap();
        assert_eq!(value["object"], "chat.completion");
        assert_eq!(value["id"], format!("chatcmpl-{}", "ab".repeat(16)));
        assert_eq!(value["choices"][0]["message"]["content"], "hi");
        assert_eq!(value["choices"][0]["finish_reason"], "length");
        assert_eq!(value["usage"]["total_tokens"], 7);
    }

    #[test]
    fn a_chat_stream() {
        let rendering = rendering(Shape::Chat, Delivery::Events);
        let opening = events(&rendering.opening().unwrap());
        assert_eq!(opening[0]["choices"][0]["delta"]["role"], "assistant");
        assert!(opening[0].get("usage").is_none());
        let piece = events(&rendering.piece("a\nb"));
        assert_eq!(piece[0]["choices"][0]["delta"], json!({"content": "a\nb"}));
        assert_eq!(piece[0]["choices"][0]["finish_reason"], Value::Null);
        let bytes = rendering.ending(FinishReason::Stop, USAGE);
        assert!(bytes.ends_with(b"data: [DONE]\n\n"));
        assert_eq!(events(&bytes)[0]["choices"][0]["finish_reason"], "stop");
        assert_eq!(events(&bytes).len(), 1);
    }

    #[test]
    fn a_stream_with_usage() {
        let rendering = rendering(Shape::Text, Delivery::EventsWithUsage);
        assert_eq!(rendering.opening(), None);
        let piece = events(&rendering.piece("x"));
        assert_eq!(piece[0]["usage"], Value::Null);
        assert_eq!(piece[0]["object"], "text_completion");
        assert_eq!(piece[0]["choices"][0]["text"], "x");
        let ending = events(&rendering.ending(FinishReason::Stop, USAGE));
        assert_eq!(ending[1]["choices"], json!([]));
        assert_eq!(ending[1]["usage"]["prompt_tokens"], 3);
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
