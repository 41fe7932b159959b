//! Answers of `POST /v1/completions`.

use super::{Completion, Heading, Rendering, logprobs};
use crate::made::{Finish, Made};
use engine::Usage;
use serde_json::{Value, json};

/// A text's answer in the making.
pub(crate) struct TextRendering {
    heading: Heading,
    /// Whether an event before the last counts tokens.
    counts: bool,
    /// Where the next token of each choice begins, in characters; none: log-probabilities were not asked for.
    offsets: Option<Vec<usize>>,
}

impl TextRendering {
    /// With `offsets` at 0 for each choice, where log-probabilities were asked for.
    pub(crate) const fn new(heading: Heading, counts: bool, offsets: Option<Vec<usize>>) -> Self {
        Self {
            heading,
            counts,
            offsets,
        }
    }

    fn completion(&self) -> Completion<'_> {
        self.heading.completion("cmpl-", "text_completion")
    }

    fn event(&self, choice: Value) -> Vec<u8> {
        self.completion().into_event(choice, self.counts)
    }

    fn logprobs(&mut self, index: usize, made: &Made) -> Value {
        let offset = self.offsets.as_mut().and_then(|all| all.get_mut(index));
        match offset {
            Some(offset) if !made.logprobs.is_empty() => logprobs::columns(&made.logprobs, offset),
            _ => Value::Null,
        }
    }
}

impl Rendering for TextRendering {
    fn opening(&mut self) -> Vec<u8> {
        Vec::new()
    }

    fn tell(&mut self, index: usize, made: Made) -> Vec<u8> {
        let (text, logprobs) = (made.text(), self.logprobs(index, &made));
        let mut events = Vec::new();
        if !text.is_empty() || !logprobs.is_null() {
            events.extend(self.event(choice(index, &text, &logprobs, None)));
        }
        if made.end.is_some() {
            events.extend(self.event(choice(index, "", &Value::Null, made.end)));
        }
        events
    }

    fn ending(&mut self, usage: Usage) -> Vec<u8> {
        self.completion().into_ending(self.counts.then_some(usage))
    }

    fn whole(&mut self, choices: Vec<Made>, usage: Usage) -> Vec<u8> {
        let mut told = Vec::new();
        for (index, made) in choices.iter().enumerate() {
            let logprobs = self.logprobs(index, made);
            told.push(choice(index, &made.text(), &logprobs, made.end));
        }
        self.completion().into_document(told, usage)
    }
}

fn choice(index: usize, text: &str, logprobs: &Value, end: Option<Finish>) -> Value {
    json!({"index": index, "text": text, "logprobs": logprobs, "finish_reason": end.map(Finish::as_str)})
}

#[cfg(test)]
mod tests {
    use super::{
        super::tests::{USAGE, events, heading, text},
        *,
    };

    #[test]
    fn a_stream_with_usage() {
        let mut rendering = TextRendering::new(heading(), true, None);
        assert_eq!(rendering.opening(), b"");
        let mut made = text("x");
        made.end = Some(Finish::Length);
        let told = events(&rendering.tell(1, made));
        assert_eq!(told[0]["usage"], Value::Null);
        assert_eq!(told[0]["object"], "text_completion");
        let piece = json!({"index": 1, "text": "x", "logprobs": null, "finish_reason": null});
        assert_eq!(told[0]["choices"][0], piece);
        assert_eq!(told[1]["choices"][0]["finish_reason"], "length");
        let ending = rendering.ending(USAGE);
        assert!(ending.ends_with(b"data: [DONE]\n\n"));
        assert_eq!(events(&ending)[0]["choices"], json!([]));
        assert_eq!(events(&ending)[0]["usage"]["prompt_tokens"], 3);
    }

    #[test]
    fn a_whole_text_of_two_choices() {
        let mut rendering = TextRendering::new(heading(), false, None);
        let document = rendering.whole(vec![text("a"), text("b")], USAGE);
        let document: Value = serde_json::from_slice(&document).unwrap();
        assert_eq!(document["choices"][1]["text"], "b");
        assert_eq!(document["choices"][1]["index"], 1);
        assert_eq!(document["usage"]["total_tokens"], 7);
    }
}
