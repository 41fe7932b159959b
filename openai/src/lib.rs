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
mod replay;
mod responses;
mod route;
mod sampling;
mod stop;
mod surface;
mod text;
mod tools;

pub use asked::Delivery;
pub use embeddings::{AskedEmbeddings, VectorForm, read_embeddings};
pub use error::ApiError;
pub use generation::{Client, Generation, Input, Running, check_model, submit};
pub use made::{Finish, Made};
pub use models::{model, models};
pub use rendering::{Heading, Rendering, fingerprint};
pub use replay::{Replay, digested_tokens};
pub use route::{Completion, Route};
pub use sampling::Stated;
pub use tools::CallReader;

pub(crate) use asked::Asked;
pub(crate) use chat::read_chat;
pub(crate) use responses::read_response;
pub(crate) use sampling::Sampling;
pub(crate) use surface::Surface;
pub(crate) use text::read_text;
pub(crate) use tools::Tools;
