//! One event of the server's stream, of either route.

use crate::UpstreamError;
use engine::{FinishReason, Logprob, TokenLogprobs, Usage};
use serde::Deserialize;
use std::collections::BTreeMap;

/// What an event says. No Debug: it is the answer.
#[derive(Default)]
pub(crate) struct Chunk {
    pub(crate) text: String,
    pub(crate) calls: Vec<CallDelta>,
    pub(crate) logprobs: Vec<TokenLogprobs>,
    pub(crate) reason: Option<FinishReason>,
    pub(crate) usage: Option<Usage>,
}

#[derive(Deserialize)]
struct Event {
    #[serde(default)]
    choices: Vec<Choice>,
    usage: Option<Counted>,
    /// A failure after the head.
    error: Option<serde::de::IgnoredAny>,
}

#[derive(Deserialize)]
struct Choice {
    #[serde(default)]
    delta: Delta,
    text: Option<String>,
    logprobs: Option<Logprobs>,
    finish_reason: Option<String>,
}

#[derive(Default, Deserialize)]
struct Delta {
    content: Option<String>,
    tool_calls: Option<Vec<CallDelta>>,
}

/// A piece of a tool call.
#[derive(Deserialize)]
pub(crate) struct CallDelta {
    #[serde(default)]
    pub(crate) index: usize,
    pub(crate) function: Option<FunctionDelta>,
}

#[derive(Default, Deserialize)]
pub(crate) struct FunctionDelta {
    pub(crate) name: Option<String>,
    pub(crate) arguments: Option<String>,
}

#[derive(Deserialize)]
struct Counted {
    prompt_tokens: u32,
    #[serde(default)]
    completion_tokens: u32,
    prompt_tokens_details: Option<Details>,
}

#[derive(Deserialize)]
struct Details {
    cached_tokens: Option<u32>,
}

/// The chat's form, and the older one of completions.
#[derive(Deserialize)]
struct Logprobs {
    content: Option<Vec<Told>>,
    tokens: Option<Vec<String>>,
    token_logprobs: Option<Vec<Option<f32>>>,
    top_logprobs: Option<Vec<Option<BTreeMap<String, f32>>>>,
}

#[derive(Deserialize)]
struct Told {
    #[serde(flatten)]
    chosen: One,
    #[serde(default)]
    top_logprobs: Vec<One>,
}

#[derive(Deserialize)]
struct One {
    token: String,
    logprob: f32,
    bytes: Option<Vec<u8>>,
}

impl Chunk {
    /// Reads an event's data.
    pub(crate) fn parse(data: &[u8]) -> Result<Self, UpstreamError> {
        let event: Event = serde_json::from_slice(data).map_err(|_| UpstreamError::Malformed)?;
        if event.error.is_some() {
            return Err(UpstreamError::Truncated);
        }
        let mut chunk = Self {
            usage: event.usage.map(Usage::from),
            ..Self::default()
        };
        match event.choices.as_slice() {
            [] | [_] => {}
            _ => return Err(UpstreamError::Malformed),
        }
        if let Some(choice) = event.choices.into_iter().next() {
            chunk.take(choice)?;
        }
        Ok(chunk)
    }

    fn take(&mut self, choice: Choice) -> Result<(), UpstreamError> {
        self.reason = choice.finish_reason.as_deref().map(reason).transpose()?;
        self.text = choice.text.or(choice.delta.content).unwrap_or_default();
        self.calls = choice.delta.tool_calls.unwrap_or_default();
        self.logprobs = choice.logprobs.map(Logprobs::told).unwrap_or_default();
        Ok(())
    }
}

/// Reasons that mean an answer; a filter, an abort or an error is none.
fn reason(name: &str) -> Result<FinishReason, UpstreamError> {
    match name {
        "stop" | "tool_calls" => Ok(FinishReason::Stop),
        "length" => Ok(FinishReason::Length),
        _ => Err(UpstreamError::Truncated),
    }
}

impl From<Counted> for Usage {
    fn from(counted: Counted) -> Self {
        let details = counted.prompt_tokens_details;
        Self {
            prompt_tokens: counted.prompt_tokens,
            cached_tokens: details.and_then(|d| d.cached_tokens).unwrap_or(0),
            completion_tokens: counted.completion_tokens,
        }
    }
}

impl Logprobs {
    fn told(self) -> Vec<TokenLogprobs> {
        match self.content {
            Some(content) => content.into_iter().map(TokenLogprobs::from).collect(),
            None => self.older(),
        }
    }

    fn older(self) -> Vec<TokenLogprobs> {
        let tokens = self.tokens.unwrap_or_default().into_iter();
        let logprobs = self.token_logprobs.unwrap_or_default().into_iter();
        let tops = self.top_logprobs.unwrap_or_default().into_iter();
        let tops = tops.chain(std::iter::repeat(None));
        let told = tokens.zip(logprobs).zip(tops);
        let told = told.filter_map(|((token, logprob), top)| {
            Some(TokenLogprobs {
                chosen: logprob_of(token, logprob?),
                top: ranked(top.unwrap_or_default()),
            })
        });
        told.collect()
    }
}

/// Likeliest first; of equals in order of their text.
fn ranked(top: BTreeMap<String, f32>) -> Vec<Logprob> {
    let mut top: Vec<Logprob> = top
        .into_iter()
        .map(|(token, logprob)| logprob_of(token, logprob))
        .collect();
    top.sort_by(|a, b| b.logprob.total_cmp(&a.logprob));
    top
}

fn logprob_of(token: String, logprob: f32) -> Logprob {
    Logprob {
        bytes: token.into_bytes(),
        logprob,
    }
}

impl From<Told> for TokenLogprobs {
    fn from(told: Told) -> Self {
        Self {
            chosen: told.chosen.into(),
            top: told.top_logprobs.into_iter().map(Logprob::from).collect(),
        }
    }
}

impl From<One> for Logprob {
    fn from(one: One) -> Self {
        Self {
            bytes: one.bytes.unwrap_or_else(|| one.token.into_bytes()),
            logprob: one.logprob,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(event: &str) -> Chunk {
        Chunk::parse(event.as_bytes()).ok().unwrap()
    }

    fn refusal(event: &str) -> UpstreamError {
        Chunk::parse(event.as_bytes()).err().unwrap()
    }

    #[test]
    fn reads_both_routes() {
        let chat =
            parse(r#"{"choices":[{"index":0,"delta":{"content":"a"},"finish_reason":null}]}"#);
        assert_eq!((chat.text.as_str(), chat.reason), ("a", None));
        let text = parse(r#"{"choices":[{"text":"b","finish_reason":"length"}]}"#);
        assert_eq!(
            (text.text.as_str(), text.reason),
            ("b", Some(FinishReason::Length))
        );
    }

    #[test]
    fn reads_the_counts() {
        let chunk = parse(
            r#"{"choices":[],"usage":{"prompt_tokens":5,"completion_tokens":2,"prompt_tokens_details":{"cached_tokens":3}}}"#,
        );
        let usage = Usage {
            prompt_tokens: 5,
            cached_tokens: 3,
            completion_tokens: 2,
        };
        assert_eq!(chunk.usage, Some(usage));
    }

    #[test]
    fn reads_log_probabilities_in_both_forms() {
        let one = |bytes: &[u8], logprob| Logprob {
            bytes: bytes.to_vec(),
            logprob,
        };
        let chat = parse(
            r#"{"choices":[{"delta":{"content":"x"},"logprobs":{"content":[{"token":"?","logprob":-0.5,"bytes":[255],"top_logprobs":[{"token":"y","logprob":-1.0,"bytes":null}]}]}}]}"#,
        );
        assert!(chat.logprobs[0].chosen == one(&[255], -0.5));
        assert!(chat.logprobs[0].top == [one(b"y", -1.0)]);
        let text = parse(
            r#"{"choices":[{"text":"ab","logprobs":{"tokens":["a","b"],"token_logprobs":[-0.1,null],"top_logprobs":[{"c":-2.0,"a":-0.1}]}}]}"#,
        );
        assert_eq!(text.logprobs.len(), 1);
        assert!(text.logprobs[0].top == [one(b"a", -0.1), one(b"c", -2.0)]);
    }

    #[test]
    fn what_is_no_answer_is_refused() {
        assert_eq!(refusal("{"), UpstreamError::Malformed);
        assert_eq!(refusal("[]"), UpstreamError::Malformed);
        assert_eq!(refusal(r#"{"choices":[{},{}]}"#), UpstreamError::Malformed);
        assert_eq!(
            refusal(r#"{"error":{"message":"x"}}"#),
            UpstreamError::Truncated
        );
        for reason in ["content_filter", "abort", "error", ""] {
            let event = format!(r#"{{"choices":[{{"finish_reason":"{reason}"}}]}}"#);
            assert_eq!(refusal(&event), UpstreamError::Truncated, "{reason}");
        }
    }
}
