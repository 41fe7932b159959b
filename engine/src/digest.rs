//! What makes an answer of a prompt here: a digest of these sources, and of the kernels'.

use sha2::{Digest, Sha256};

/// Every source file of this crate but tests, in byte order of the paths (listed by `build.rs`).
const SOURCES: &[(&str, &str)] = include!(concat!(env!("OUT_DIR"), "/sources.rs"));

/// SHA-256 over [`kernels::digest`], this crate's version and its sources, every field after its length as eight bytes, little-endian.
pub(crate) fn digest() -> [u8; 32] {
    let kernels = kernels::digest();
    let own = ["narthex/1/engine", env!("CARGO_PKG_VERSION")];
    let sources = SOURCES.iter().flat_map(|(path, text)| [*path, *text]);
    let fields = own.into_iter().chain(sources).map(str::as_bytes);
    let mut hasher = Sha256::new();
    for field in [kernels.as_slice()].into_iter().chain(fields) {
        hasher.update((field.len() as u64).to_le_bytes());
        hasher.update(field);
    }
    hasher.finalize().into()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_sources_are_those_that_are_compiled() {
        let text = |path| SOURCES.iter().find(|(known, _)| *known == path);
        assert_eq!(text("digest.rs").unwrap().1, include_str!("digest.rs"));
        assert_eq!(
            text("sampler/philox.rs").unwrap().1,
            include_str!("sampler/philox.rs")
        );
        for folder in ["chat/", "grammar/", "sampler/", "tokenizer/", "local/"] {
            assert!(SOURCES.iter().any(|(path, _)| path.starts_with(folder)));
        }
        assert!(SOURCES.is_sorted_by(|(a, _), (b, _)| a < b));
        assert!(SOURCES.iter().all(|(path, _)| !path.ends_with("tests.rs")));
    }

    #[test]
    fn it_is_not_that_of_the_kernels_alone() {
        assert_ne!(digest(), kernels::digest());
        assert_eq!(crate::local::kernels_digest(), digest());
    }
}
