//! A response in the making: its events in OpenAI's order, each with its number.

use super::{
    Echo,
    items::{Content, Item},
    object::Status,
};
use crate::{
    ApiError,
    made::{Finish, Made, Piece},
    rendering::{Heading, Rendering, logprobs_content, to_json, with},
    tools::call_id,
};
use engine::{TokenLogprobs, Usage};
use serde_json::{Value, json};

/// A response in the making. No Debug: it is the answer.
pub(crate) struct ResponseRendering {
    heading: Heading,
    echo: Echo,
    items: Vec<Item>,
    end: Option<Finish>,
    /// Number of the next event.
    sequence: u64,
    /// Events that were not handed out yet.
    events: Vec<u8>,
}

impl Rendering for ResponseRendering {
    fn opening(&mut self) -> Vec<u8> {
        for kind in ["response.created", "response.in_progress"] {
            let response = self.object(Status::InProgress, None);
            self.event(kind, json!({"response": response}));
        }
        self.handed_out()
    }

    fn tell(&mut self, _index: usize, made: Made) -> Vec<u8> {
        let mut logprobs = made.logprobs;
        for piece in made.pieces {
            match piece {
                Piece::Text(text) => self.say(&text, std::mem::take(&mut logprobs)),
                Piece::Call { number, name } => self.call(number, name),
                Piece::Arguments { json, .. } => self.argue(&json),
            }
        }
        if made.end.is_some() {
            self.end = made.end;
            if self.items.is_empty() {
                self.open_message();
            }
            self.close(self.last_status());
        }
        self.handed_out()
    }

    fn ending(&mut self, usage: Usage) -> Vec<u8> {
        let status = self.last_status();
        let response = self.object(status, Some(usage));
        let kind = format!("response.{}", status.as_str());
        self.event(&kind, json!({"response": response}));
        self.handed_out()
    }

    fn failure(&mut self, error: &ApiError) -> Vec<u8> {
        let told = json!({"code": error.code, "message": error.message(), "param": null});
        self.event("error", told);
        self.handed_out()
    }

    fn whole(&mut self, choices: Vec<Made>, usage: Usage) -> Vec<u8> {
        for made in choices {
            self.tell(0, made);
        }
        to_json(&self.object(self.last_status(), Some(usage)))
    }
}

impl ResponseRendering {
    pub(crate) const fn new(heading: Heading, echo: Echo) -> Self {
        Self {
            heading,
            echo,
            items: Vec::new(),
            end: None,
            sequence: 0,
            events: Vec::new(),
        }
    }

    fn object(&self, status: Status, usage: Option<Usage>) -> Value {
        self.echo.object(&self.heading, status, &self.items, usage)
    }

    const fn last_status(&self) -> Status {
        match self.end {
            Some(Finish::Length) => Status::Incomplete,
            _ => Status::Completed,
        }
    }

    /// Adds to the message that is open, or to a new one.
    fn say(&mut self, added: &str, mut tokens: Vec<TokenLogprobs>) {
        if !self.items.last().is_some_and(Item::is_open_message) {
            self.close(Status::Completed);
            self.open_message();
        }
        let told = logprobs_content(&tokens);
        if let Some(Content::Message { text, logprobs }) = self.open_content() {
            text.push_str(added);
            logprobs.append(&mut tokens);
        }
        let delta = json!({"content_index": 0, "delta": added, "logprobs": told});
        self.item_event("response.output_text.delta", delta);
    }

    fn open_message(&mut self) {
        let content = Content::Message {
            text: String::new(),
            logprobs: Vec::new(),
        };
        self.open("msg_", content);
        let part = self.items.last().map(Item::part);
        let added = json!({"content_index": 0, "part": part});
        self.item_event("response.content_part.added", added);
    }

    fn call(&mut self, number: usize, name: String) {
        self.close(Status::Completed);
        let content = Content::Call {
            call_id: call_id(&self.heading.request_id, 0, number),
            name,
            arguments: String::new(),
        };
        self.open("fc_", content);
    }

    fn argue(&mut self, json: &str) {
        if let Some(Content::Call { arguments, .. }) = self.open_content() {
            arguments.push_str(json);
        }
        let delta = json!({"delta": json});
        self.item_event("response.function_call_arguments.delta", delta);
    }

    fn open_content(&mut self) -> Option<&mut Content> {
        self.items.last_mut().map(|item| &mut item.content)
    }

    fn open(&mut self, prefix: &str, content: Content) {
        let item = Item {
            id: format!("{}{}", self.heading.id(prefix), self.items.len()),
            status: Status::InProgress,
            content,
        };
        let (index, told) = (self.items.len(), item.to_json());
        self.items.push(item);
        let added = json!({"output_index": index, "item": told});
        self.event("response.output_item.added", added);
    }

    /// Ends the item that is open, if one is.
    fn close(&mut self, status: Status) {
        let is_open = |item: &&mut Item| item.status == Status::InProgress;
        let Some(item) = self.items.last_mut().filter(is_open) else {
            return;
        };
        item.status = status;
        let (told, part) = (item.to_json(), item.part());
        match &item.content {
            Content::Message { .. } => {
                let (text, logprobs) = (part.get("text"), part.get("logprobs"));
                let done = json!({"content_index": 0, "text": text, "logprobs": logprobs});
                self.item_event("response.output_text.done", done);
                let done = json!({"content_index": 0, "part": part});
                self.item_event("response.content_part.done", done);
            }
            Content::Call {
                name, arguments, ..
            } => {
                let done = json!({"name": name, "arguments": arguments});
                self.item_event("response.function_call_arguments.done", done);
            }
        }
        let index = self.items.len().saturating_sub(1);
        let done = json!({"output_index": index, "item": told});
        self.event("response.output_item.done", done);
    }

    /// An event about the last item.
    fn item_event(&mut self, kind: &str, fields: Value) {
        let id = self.items.last().map(|item| &item.id);
        let index = self.items.len().saturating_sub(1);
        let place = json!({"item_id": id, "output_index": index});
        self.event(kind, with(place, fields));
    }

    fn event(&mut self, kind: &str, fields: Value) {
        let event = json!({"type": kind, "sequence_number": self.sequence});
        let event = with(event, fields);
        self.sequence = self.sequence.saturating_add(1);
        let event = format!("event: {kind}\ndata: {event}\n\n");
        self.events.extend(event.into_bytes());
    }

    fn handed_out(&mut self) -> Vec<u8> {
        std::mem::take(&mut self.events)
    }
}

#[cfg(test)]
mod tests;
