//! What the OpenAI API inside the seal does beyond one plain answer, end to end.
#![allow(
    missing_docs,
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "tests"
)]

mod choices;
mod embeddings;
mod responses;
mod sharing;
#[path = "../support/mod.rs"]
mod support;
mod tools;
