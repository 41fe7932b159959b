//! The real model that tests run on.

use std::path::PathBuf;

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
