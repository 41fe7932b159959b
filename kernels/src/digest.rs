//! What arithmetic this is: a digest of these sources.

use sha2::{Digest, Sha256};

macro_rules! sources {
    ($($path:literal),* $(,)?) => { [$(($path, include_str!($path))),*] };
}

/// Every source file of this crate but tests, in byte order of the paths.
const SOURCES: [(&str, &str); 26] = sources![
    "attention.rs",
    "attention/avx512.rs",
    "attention/cache.rs",
    "attention/scalar.rs",
    "bias.rs",
    "digest.rs",
    "exp.rs",
    "gelu.rs",
    "gelu_mul.rs",
    "isa.rs",
    "lanes.rs",
    "layer_norm.rs",
    "lib.rs",
    "matmul.rs",
    "matmul/avx512.rs",
    "matmul/matrix.rs",
    "matmul/pack.rs",
    "matmul/scalar.rs",
    "pool.rs",
    "pool/team.rs",
    "quantize.rs",
    "quantize/avx512.rs",
    "quantize/scalar.rs",
    "rms_norm.rs",
    "rope.rs",
    "silu_mul.rs",
];

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
    use std::path::Path;

    use super::*;

    fn files(folder: &Path, found: &mut Vec<String>) {
        for entry in folder.read_dir().unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                files(&path, found);
            } else if path.file_name().unwrap() != "tests.rs" {
                let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
                found.push(
                    path.strip_prefix(root)
                        .unwrap()
                        .to_str()
                        .unwrap()
                        .to_owned(),
                );
            }
        }
    }

    #[test]
    fn no_source_is_left_out() {
        let mut found = Vec::new();
        files(
            &Path::new(env!("CARGO_MANIFEST_DIR")).join("src"),
            &mut found,
        );
        found.sort();
        assert_eq!(found, SOURCES.map(|(path, _)| path));
    }
}
