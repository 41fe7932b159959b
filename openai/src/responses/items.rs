//! Items of a response's output: messages and calls.

use super::object::Status;
use crate::rendering::logprobs_content;
use engine::TokenLogprobs;
use serde_json::{Value, json};

/// One item. No Debug: it is the answer.
pub(super) struct Item {
    pub(super) id: String,
    pub(super) status: Status,
    pub(super) content: Content,
}

/// What an item is.
pub(super) enum Content {
    Message {
        text: String,
        logprobs: Vec<TokenLogprobs>,
    },
    Call {
        call_id: String,
        name: String,
        arguments: String,
    },
}

impl Item {
    /// As it stands.
    pub(super) fn to_json(&self) -> Value {
        let status = self.status.as_str();
        match &self.content {
            Content::Message { .. } => {
                // Its one part comes after it has been announced.
                let parts = (self.status != Status::InProgress).then(|| self.part());
                json!({
                    "id": self.id,
                    "type": "message",
                    "status": status,
                    "role": "assistant",
                    "content": Vec::from_iter(parts),
                })
            }
            Content::Call {
                call_id,
                name,
                arguments,
            } => json!({
                "id": self.id,
                "type": "function_call",
                "status": status,
                "call_id": call_id,
                "name": name,
                "arguments": arguments,
            }),
        }
    }

    /// Whether text can be added.
    pub(super) fn is_open_message(&self) -> bool {
        self.status == Status::InProgress && matches!(self.content, Content::Message { .. })
    }

    /// The part of a message as it stands; null of a call.
    pub(super) fn part(&self) -> Value {
        match &self.content {
            Content::Message { text, logprobs } => json!({
                "type": "output_text",
                "text": text,
                "annotations": [],
                "logprobs": logprobs_content(logprobs),
            }),
            Content::Call { .. } => Value::Null,
        }
    }
}
