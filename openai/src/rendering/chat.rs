//! Answers of `POST /v1/chat/completions`.

use super::{Completion, Heading, Rendering, logprobs, with};
use crate::{
    made::{Finish, Made, Piece},
    tools::call_id,
};
use engine::Usage;
use serde_json::{Value, json};

const PREFIX: &str = "chatcmpl-";

/// A chat's answer in the making.
pub(crate) struct ChatRendering {
    pub heading: Heading,
    pub choices: usize,
    /// Whether an event before the last counts tokens.
    pub counts: bool,
    /// Whether log-probabilities were asked for.
    pub tells_logprobs: bool,
}

impl Rendering for ChatRendering {
    /// Who speaks.
    fn opening(&mut self) -> Vec<u8> {
        let delta = json!({"role": "assistant", "content": "", "refusal": null});
        let events = (0..self.choices).map(|index| self.event(index, &delta, &Value::Null, None));
        events.collect::<Vec<_>>().concat()
    }

    fn tell(&mut self, index: usize, made: Made) -> Vec<u8> {
        let mut logprobs = self.logprobs(&made);
        let pieces = made.pieces.into_iter();
        let mut deltas: Vec<Value> = pieces.map(|piece| self.delta(index, piece)).collect();
        if deltas.is_empty() && !logprobs.is_null() {
            deltas.push(json!({"content": ""}));
        }
        let mut events = Vec::new();
        for delta in deltas {
            events.extend(self.event(index, &delta, &logprobs, None));
            logprobs = Value::Null;
        }
        if made.end.is_some() {
            events.extend(self.event(index, &json!({}), &Value::Null, made.end));
        }
        events
    }

    fn ending(&mut self, usage: Usage) -> Vec<u8> {
        self.chunk().into_ending(self.counts.then_some(usage))
    }

    fn whole(&mut self, choices: Vec<Made>, usage: Usage) -> Vec<u8> {
        let choices = choices.iter().enumerate();
        let choices = choices.map(|(index, made)| self.choice(index, made));
        let document = self.heading.completion(PREFIX, "chat.completion");
        document.into_document(choices.collect(), usage)
    }
}

impl ChatRendering {
    fn chunk(&self) -> Completion<'_> {
        self.heading.completion(PREFIX, "chat.completion.chunk")
    }

    fn event(&self, index: usize, delta: &Value, logprobs: &Value, end: Option<Finish>) -> Vec<u8> {
        let choice = json!({
            "index": index,
            "delta": delta,
            "logprobs": logprobs,
            "finish_reason": end.map(Finish::as_str),
        });
        self.chunk().into_event(choice, self.counts)
    }

    /// What a piece adds.
    fn delta(&self, index: usize, piece: Piece) -> Value {
        match piece {
            Piece::Text(text) => json!({"content": text}),
            Piece::Call { number, name } => {
                let id = call_id(&self.heading.request_id, index, number);
                let function = json!({"name": name, "arguments": ""});
                json!({"tool_calls": [{"index": number, "id": id, "type": "function", "function": function}]})
            }
            Piece::Arguments { number, json } => {
                json!({"tool_calls": [{"index": number, "function": {"arguments": json}}]})
            }
        }
    }

    fn choice(&self, index: usize, made: &Made) -> Value {
        json!({
            "index": index,
            "message": self.message(index, made),
            "logprobs": self.logprobs(made),
            "finish_reason": made.end.map(Finish::as_str),
        })
    }

    /// The text is null where there are calls alone.
    fn message(&self, index: usize, made: &Made) -> Value {
        let (text, calls) = (made.text(), made.calls());
        let content = (calls.is_empty() || !text.is_empty()).then_some(text);
        let message = json!({"role": "assistant", "content": content, "refusal": null});
        if calls.is_empty() {
            return message;
        }
        let calls = calls.into_iter().enumerate();
        let calls: Vec<Value> = calls
            .map(|(number, (name, arguments))| {
                let id = call_id(&self.heading.request_id, index, number);
                let function = json!({"name": name, "arguments": arguments});
                json!({"id": id, "type": "function", "function": function})
            })
            .collect();
        with(message, json!({"tool_calls": calls}))
    }

    fn logprobs(&self, made: &Made) -> Value {
        match self.tells_logprobs && !made.logprobs.is_empty() {
            true => json!({"content": logprobs::content(&made.logprobs), "refusal": null}),
            false => Value::Null,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::{
        super::tests::{USAGE, events, heading, text},
        *,
    };
    use engine::{Logprob, TokenLogprobs};

    fn rendering() -> ChatRendering {
        ChatRendering {
            heading: heading(),
            choices: 2,
            counts: false,
            tells_logprobs: true,
        }
    }

    fn called() -> Made {
        let mut made = text("so");
        for (number, name) in ["f", "g"].into_iter().enumerate() {
            let name = name.to_owned();
            made.pieces.push(Piece::Call { number, name });
            made.push_arguments(number, "{}");
        }
        made.end = Some(Finish::ToolCalls);
        made
    }

    fn document(made: Made) -> Value {
        serde_json::from_slice(&rendering().whole(vec![made], USAGE)).unwrap()
    }

    #[test]
    fn a_whole_chat() {
        let mut made = text("hi");
        made.end = Some(Finish::Length);
        let value = document(made);
        assert_eq!(value["object"], "chat.completion");
        assert_eq!(value["id"], format!("chatcmpl-{}", "ab".repeat(16)));
        assert_eq!(value["choices"][0]["message"]["content"], "hi");
        assert_eq!(value["choices"][0]["finish_reason"], "length");
        assert_eq!(value["usage"]["total_tokens"], 7);
        assert_eq!(value["usage"]["prompt_tokens_details"]["cached_tokens"], 2);
    }

    #[test]
    fn a_stream_of_two_choices() {
        let mut rendering = rendering();
        let opening = events(&rendering.opening());
        assert_eq!(opening.len(), 2);
        assert_eq!(opening[1]["choices"][0]["delta"]["role"], "assistant");
        assert_eq!(opening[1]["choices"][0]["index"], 1);
        assert!(opening[0].get("usage").is_none());
        let mut made = text("a\nb");
        made.end = Some(Finish::Stop);
        let told = events(&rendering.tell(1, made));
        assert_eq!(told[0]["choices"][0]["delta"], json!({"content": "a\nb"}));
        assert_eq!(told[0]["choices"][0]["finish_reason"], Value::Null);
        assert_eq!(told[1]["choices"][0]["delta"], json!({}));
        assert_eq!(told[1]["choices"][0]["finish_reason"], "stop");
        assert_eq!(rendering.ending(USAGE), b"data: [DONE]\n\n");
    }

    #[test]
    fn calls_whole() {
        let message = document(called())["choices"][0]["message"].clone();
        assert_eq!(message["content"], "so");
        let second = &message["tool_calls"][1];
        assert_eq!(second["function"], json!({"name": "g", "arguments": "{}"}));
        assert_ne!(second["id"], message["tool_calls"][0]["id"]);
        let mut alone = called();
        alone.pieces.remove(0);
        let value = document(alone);
        assert_eq!(value["choices"][0]["message"]["content"], Value::Null);
        assert_eq!(value["choices"][0]["finish_reason"], "tool_calls");
    }

    #[test]
    fn calls_streamed() {
        let told = events(&rendering().tell(0, called()));
        let calls = |at: usize| told[at]["choices"][0]["delta"]["tool_calls"][0].clone();
        assert_eq!(calls(1)["function"], json!({"name": "f", "arguments": ""}));
        let arguments = json!({"index": 1, "function": {"arguments": "{}"}});
        assert_eq!(calls(4), arguments);
        assert_eq!(told[5]["choices"][0]["finish_reason"], "tool_calls");
    }

    #[test]
    fn logprobs_come_with_the_text_or_alone() {
        let told = || TokenLogprobs {
            chosen: Logprob {
                bytes: b"x".to_vec(),
                logprob: -1.0,
            },
            top: Vec::new(),
        };
        let mut made = text("x");
        made.logprobs = vec![told()];
        let events_of = |made| events(&rendering().tell(0, made));
        let with_text = events_of(made);
        assert_eq!(with_text.len(), 1);
        let entries = &with_text[0]["choices"][0]["logprobs"]["content"];
        assert_eq!(entries[0]["token"], "x");
        let alone = Made {
            logprobs: vec![told()],
            ..Made::default()
        };
        let alone = events_of(alone);
        assert_eq!(alone[0]["choices"][0]["delta"], json!({"content": ""}));
        assert_eq!(
            alone[0]["choices"][0]["logprobs"]["content"][0]["logprob"],
            -1.0
        );
    }
}
