//! The real model that tests run on.

use std::{path::PathBuf, sync::OnceLock};

use engine::gguf::Gguf;

/// Path of the model file.
#[expect(
    clippy::disallowed_methods,
    reason = "tests are told where the model is by the environment"
)]
pub(crate) fn path() -> PathBuf {
    let named = std::env::var_os("NARTHEX_MODEL");
    named.map(PathBuf::from).expect(
        "NARTHEX_MODEL does not name SmolLM2-135M-Instruct.Q4_1.gguf: run ./scripts/test, which fetches it",
    )
}

/// The model file, read once.
pub(crate) fn gguf() -> &'static Gguf {
    static FILE: OnceLock<Gguf> = OnceLock::new();
    FILE.get_or_init(|| Gguf::open(&path()).expect("the model file is valid"))
}
