//! The OpenAI API inside the seal: routes, parameters, answers. Knows no HTTP server, no seal and no engine thread: strings in, JSON out.
//! What is supported, ignored and refused is in docs/openai-api.md.

mod asked;
mod chat;
mod content;
mod delivery;
mod elements;
mod embeddings;
mod error;
mod fields;
mod format;
mod generation;
mod history;
mod logit_bias;
mod logprobs;
mod made;
mod models;
mod neutral;
mod prompts;
mod rendering;
mod responses;
mod route;
mod sampling;
mod stop;
mod surface;
mod text;
mod tools;

pub(crate) use asked::{Asked, Delivery};
pub(crate) use chat::read_chat;
pub(crate) use embeddings::{AskedEmbeddings, read_embeddings};
pub(crate) use error::ApiError;
pub(crate) use generation::{Client, Generation, Input, Running, check_model, submit};
pub(crate) use made::{Finish, Made};
pub(crate) use models::{model, models};
pub(crate) use rendering::{Heading, Rendering, fingerprint};
pub(crate) use responses::read_response;
pub(crate) use route::{Completion, Route};
pub(crate) use sampling::{Sampling, Stated};
pub(crate) use surface::Surface;
pub(crate) use text::read_text;
pub(crate) use tools::{CallReader, Tools};
