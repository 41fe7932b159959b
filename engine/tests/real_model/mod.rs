//! The real models that tests run on.

#![allow(dead_code, reason = "each test uses a part of it")]

use std::path::PathBuf;

/// Path of SmolLM2-135M-Instruct.Q4_1.gguf.
pub(crate) fn path() -> PathBuf {
    named("NARTHEX_MODEL")
}

/// Path of gemma-3-270m-q4_k_m.gguf.
pub(crate) fn gemma() -> PathBuf {
    named("NARTHEX_GEMMA")
}

/// Path of the folder of all-MiniLM-L6-v2.
pub(crate) fn minilm() -> PathBuf {
    named("NARTHEX_MINILM")
}

/// Path of the folder of SmolLM2-135M-Instruct in other formats.
pub(crate) fn variants() -> PathBuf {
    named("NARTHEX_VARIANTS")
}

#[expect(
    clippy::disallowed_methods,
    clippy::expect_used,
    reason = "tests are told where models are by the environment"
)]
fn named(variable: &str) -> PathBuf {
    let path = std::env::var_os(variable).map(PathBuf::from);
    path.expect(
        "NARTHEX_MODEL, _GEMMA, _MINILM and _VARIANTS name models: run ./scripts/test, which fetches them",
    )
}
