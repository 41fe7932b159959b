//! Randomness: the operating system's on native targets. A wasm32 module has none of its own: the embedder installs a source before the
//! first use, and everything that needs randomness fails until then. Nothing is imported from JavaScript.

/// There is no randomness: on wasm32 no source was installed, or the source failed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("there is no source of randomness")]
pub struct EntropyError;

/// Fills a buffer with cryptographically secure random bytes; false: it could not.
#[cfg(target_arch = "wasm32")]
pub type Source = fn(&mut [u8]) -> bool;

#[cfg(target_arch = "wasm32")]
static SOURCE: std::sync::OnceLock<Source> = std::sync::OnceLock::new();

/// Installs the embedder's source (in a browser: `crypto.getRandomValues`), once; false: there already is one.
#[cfg(target_arch = "wasm32")]
pub fn install(source: Source) -> bool {
    SOURCE.set(source).is_ok()
}

#[cfg(target_arch = "wasm32")]
pub(crate) fn fill(bytes: &mut [u8]) -> Result<(), EntropyError> {
    let source = SOURCE.get().ok_or(EntropyError)?;
    if source(bytes) {
        Ok(())
    } else {
        Err(EntropyError)
    }
}

#[cfg(not(target_arch = "wasm32"))]
pub(crate) fn fill(bytes: &mut [u8]) -> Result<(), EntropyError> {
    aws_lc_rs::rand::fill(bytes).map_err(|_| EntropyError)
}

/// Key material that cannot be made ends the process: the runtime must not live without it, and aws-lc itself aborts where the operating
/// system gives no randomness.
pub(crate) fn or_abort<T>(made: Option<T>) -> T {
    made.unwrap_or_else(|| std::process::abort())
}
