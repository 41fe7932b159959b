//! The OpenAI API inside the seal: routes, parameters, answers. Knows no HTTP server, no seal and no engine thread: strings in, JSON out.
//! What is supported, ignored and refused is in docs/openai-api.md.

mod chat;
mod content;
mod error;
mod fields;
mod generation;
mod models;
mod neutral;
mod rendering;
mod route;
mod sampling;
mod stop;

pub(crate) use chat::{read_chat, read_text};
pub(crate) use error::ApiError;
pub(crate) use generation::{Generation, prepare};
pub(crate) use models::{model, models};
pub(crate) use rendering::{Rendering, fingerprint};
pub(crate) use route::Route;
pub(crate) use sampling::Sampling;

/// What a request asked for, before it is tokenized. No Debug: it holds the prompt.
pub(crate) struct Asked {
    pub(crate) prompt: Prompt,
    pub(crate) model: String,
    pub(crate) max_tokens: Option<u32>,
    pub(crate) sampling: Sampling,
    pub(crate) stop: Vec<String>,
    pub(crate) delivery: Delivery,
}

/// What is to be continued. No Debug.
pub(crate) enum Prompt {
    Chat(Vec<engine::chat::Message>),
    Text(String),
}

/// The API's two shapes of an answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Shape {
    Chat,
    Text,
}

/// How the answer travels.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Delivery {
    /// One JSON document.
    Whole,
    /// Server-sent events.
    Events,
    /// Server-sent events, with one that counts tokens before the last.
    EventsWithUsage,
}
