//! The object that a response is.

use super::items::Item;
use crate::{
    Stated,
    rendering::Heading,
    tools::{Choice, Tool},
};
use engine::Usage;
use serde_json::{Value, json};

/// What an answer repeats of the request. No Debug: it is the client's.
pub(crate) struct Echo {
    pub(super) instructions: Option<String>,
    pub(super) metadata: Value,
    pub(super) tools: Value,
    pub(super) tool_choice: Value,
    pub(super) parallel: bool,
    pub(super) format: Value,
    pub(super) sampling: Stated,
    pub(super) max_output_tokens: Option<u32>,
    pub(super) top_logprobs: Option<u8>,
}

impl Default for Echo {
    fn default() -> Self {
        Self {
            instructions: None,
            metadata: json!({}),
            tools: json!([]),
            tool_choice: json!("auto"),
            parallel: true,
            format: json!({"type": "text"}),
            sampling: Stated::default(),
            max_output_tokens: None,
            top_logprobs: None,
        }
    }
}

/// How far a response is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Status {
    InProgress,
    Completed,
    /// `max_output_tokens` or the context was reached.
    Incomplete,
}

impl Status {
    pub(super) const fn as_str(self) -> &'static str {
        match self {
            Self::InProgress => "in_progress",
            Self::Completed => "completed",
            Self::Incomplete => "incomplete",
        }
    }
}

impl Echo {
    /// The tools of the request, and which of them is called.
    pub(super) fn describe_tools(&mut self, all: &[Tool], choice: Choice) {
        self.tools = all.iter().map(described).collect();
        self.tool_choice = match choice {
            Choice::None => json!("none"),
            Choice::Auto => json!("auto"),
            Choice::Required => json!("required"),
            Choice::Named(at) => {
                json!({"type": "function", "name": all.get(at).map(|tool| &tool.name)})
            }
        };
    }

    /// The whole object.
    pub(super) fn object(
        &self,
        heading: &Heading,
        status: Status,
        items: &[Item],
        usage: Option<Usage>,
    ) -> Value {
        let is_cut = status == Status::Incomplete;
        let output: Vec<Value> = items.iter().map(Item::to_json).collect();
        json!({
            "id": heading.id("resp_"),
            "object": "response",
            "created_at": heading.created.0,
            "status": status.as_str(),
            "background": false,
            "error": null,
            "incomplete_details": is_cut.then(|| json!({"reason": "max_output_tokens"})),
            "instructions": self.instructions,
            "max_output_tokens": self.max_output_tokens,
            "metadata": self.metadata,
            "model": heading.model,
            "output": output,
            "parallel_tool_calls": self.parallel,
            "previous_response_id": null,
            "service_tier": "default",
            "store": false,
            "system_fingerprint": heading.fingerprint,
            "temperature": f64::from(self.sampling.temperature_milli) / 1000.0,
            "text": {"format": self.format},
            "tool_choice": self.tool_choice,
            "tools": self.tools,
            "top_logprobs": self.top_logprobs.unwrap_or(0),
            "top_p": f64::from(self.sampling.top_p_milli) / 1000.0,
            "truncation": "disabled",
            "usage": usage.map(usage_json),
        })
    }
}

/// A tool as responses have it, every field said.
fn described(tool: &Tool) -> Value {
    json!({
        "type": "function",
        "name": tool.name,
        "description": tool.description,
        "parameters": tool.parameters,
        "strict": tool.strict.unwrap_or(true),
    })
}

fn usage_json(usage: Usage) -> Value {
    json!({
        "input_tokens": usage.prompt_tokens,
        "input_tokens_details": {"cached_tokens": usage.cached_tokens},
        "output_tokens": usage.completion_tokens,
        "output_tokens_details": {"reasoning_tokens": 0},
        "total_tokens": u64::from(usage.prompt_tokens) + u64::from(usage.completion_tokens),
    })
}
