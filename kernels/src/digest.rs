//! What arithmetic this is: a digest of these sources.

use sha2::{Digest, Sha256};

/// Every source file of this crate but tests, in byte order of the paths (listed by `build.rs`).
const SOURCES: &[(&str, &str)] = include!(concat!(env!("OUT_DIR"), "/sources.rs"));

/// SHA-256 over this crate's version and sources, every field after its length as eight bytes, little-endian.
pub fn digest() -> [u8; 32] {
    let mut hasher = Sha256::new();
    let fields = SOURCES.iter().flat_map(|(path, text)| [*path, *text]);
    for field in ["narthex/1/kernels", env!("CARGO_PKG_VERSION")]
        .into_iter()
        .chain(fields)
    {
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
            text("matmul/scalar.rs").unwrap().1,
            include_str!("matmul/scalar.rs")
        );
        assert!(SOURCES.is_sorted_by(|(a, _), (b, _)| a < b));
        assert!(SOURCES.iter().all(|(path, _)| !path.ends_with("tests.rs")));
    }
}
