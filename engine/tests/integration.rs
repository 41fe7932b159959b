//! Every test of this package that needs no process of its own, in one program: each would link the same libraries again.
#![allow(
    missing_docs,
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "tests fail by panicking"
)]

mod chat_agreement;
mod chat_prompt;
mod chat_template;
mod company;
mod completion;
#[path = "../../kernels/tests/cuda_cpu/mod.rs"]
mod cuda_cpu;
mod cuda_sampler;
mod decoder;
mod embedding;
mod encoder;
mod families;
mod folder;
mod folder_refusals;
mod gemma;
mod gguf;
mod gguf_file;
mod grammar;
mod load_refusals;
mod logprobs;
mod model;
mod model_folder;
mod oracle;
mod paths;
mod real_model;
mod served_folder;
mod text_assembly;
mod tiny;
mod tokenizer_agreement;
mod tokenizer_json;
mod tokenizer_refusals;
mod tokenizer_sentence_piece;
