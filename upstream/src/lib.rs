//! An OpenAI-compatible inference server (vLLM, llama.cpp, ..) inside the same TEE, behind [`engine::Engine`].
//!
//! The server is part of what is attested: it runs in the same confidential VM, from the same measured image, and is reached over loopback or a
//! unix socket only ([`Address`]); its image's digest goes into the manifest in the place of the kernels' digest. Prompts travel to it in the
//! clear, inside the TEE. What it caches it may not share between tenants: see [`Kind`].
//! Its answers are read as hostile input all the same: everything has a cap, and what is not understood is a failure of the job, never text.

mod address;
mod answer;
mod chunk;
mod config;
mod connection;
mod embeddings;
mod error;
mod events;
mod health;
mod reading;
mod request;
mod salt;
mod server;
mod tool_calls;

pub use address::{Address, AddressError};
pub use config::{Kind, UpstreamConfig};
pub use error::UpstreamError;
pub use reading::Reading;
pub use server::Upstream;
