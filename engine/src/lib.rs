//! Model files, tokenizer, chat template, decoder and scheduler behind one trait; knows no HTTP and no TEE.

pub mod chat;
mod choice;
pub mod decoder;
pub mod describe;
mod digest;
pub mod encoder;
mod file;
pub mod folder;
pub mod gguf;
pub mod grammar;
pub mod job;
pub mod local;
mod loose;
pub mod model;
pub mod safetensors;
pub mod sampler;
mod strict_json;
pub mod text;
pub mod tokenizer;
pub mod tools;

pub use job::{
    CacheSecret, Embeddings, Engine, EngineError, FinishReason, Grammar, Job, Logprob,
    MAX_LOGPROBS, ModelCard, Prompt, Sampling, Step, TenantId, TokenLogprobs, Usage,
};
pub use tools::ToolSyntax;
