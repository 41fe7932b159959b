//! The kernels for GPUs, built ahead: one cubin for each architecture, a part of every program that runs them.
//!
//! `scripts/cubins` makes them of `kernels/cuda` with a pinned compiler, and anybody gets the same bytes ([`MANIFEST`] says of what).
//! Nothing compiles a kernel at run time: what runs on a device is what was embedded, and [`digest`] says what that was.

use std::ops::RangeInclusive;

use sha2::{Digest, Sha256};

/// `kernels/cubin/MANIFEST.toml`: compiler, flags, digests of sources and cubins, registers of each kernel.
pub const MANIFEST: &str = include_str!("../cubin/MANIFEST.toml");

/// Compiled kernels for some compute capabilities.
#[derive(Debug)]
pub struct Cubin {
    architecture: &'static str,
    major: i32,
    minors: RangeInclusive<i32>,
    bytes: &'static [u8],
}

/// All that there are. Code for `sm_80` runs on what came later with the same major number; names that end in `a` are for one
/// capability alone.
static CUBINS: [Cubin; 3] = [
    Cubin {
        architecture: "sm_80",
        major: 8,
        minors: 0..=9,
        bytes: &Image(*include_bytes!("../cubin/sm_80.cubin")).0,
    },
    Cubin {
        architecture: "sm_90a",
        major: 9,
        minors: 0..=0,
        bytes: &Image(*include_bytes!("../cubin/sm_90a.cubin")).0,
    },
    Cubin {
        architecture: "sm_100a",
        major: 10,
        minors: 0..=0,
        bytes: &Image(*include_bytes!("../cubin/sm_100a.cubin")).0,
    },
];

/// An ELF file, aligned as its headers want it.
#[repr(align(16))]
struct Image<const LEN: usize>([u8; LEN]);

impl Cubin {
    /// Its name for the compiler: `sm_90a`.
    pub fn architecture(&self) -> &'static str {
        self.architecture
    }

    /// The ELF file that the driver loads.
    pub fn bytes(&self) -> &'static [u8] {
        self.bytes
    }

    /// SHA-256 of the file.
    pub fn digest(&self) -> [u8; 32] {
        Sha256::digest(self.bytes).into()
    }

    fn runs_on(&self, major: i32, minor: i32) -> bool {
        self.major == major && self.minors.contains(&minor)
    }
}

/// All cubins.
pub fn all() -> &'static [Cubin] {
    &CUBINS
}

/// The cubin that runs on devices of a compute capability; none: such devices cannot be used.
pub fn for_capability(major: i32, minor: i32) -> Option<&'static Cubin> {
    CUBINS.iter().find(|cubin| cubin.runs_on(major, minor))
}

/// Names of the kernels, the same in every cubin.
pub fn entry_points() -> impl Iterator<Item = &'static str> {
    let lines = MANIFEST.lines();
    let table = lines.skip_while(|line| *line != "[cubin.kernels]").skip(1);
    let names = table.map_while(|line| line.split_once(" = "));
    names.map(|(name, _)| name)
}

/// SHA-256 over the architectures' names and all cubins, every field after its length as eight bytes, little-endian.
pub fn digest() -> [u8; 32] {
    let mut hasher = Sha256::new();
    let fields = CUBINS
        .iter()
        .flat_map(|cubin| [cubin.architecture.as_bytes(), cubin.bytes]);
    for field in [b"narthex/1/cubins".as_slice()].into_iter().chain(fields) {
        hasher.update((field.len() as u64).to_le_bytes());
        hasher.update(field);
    }
    hasher.finalize().into()
}

#[cfg(test)]
mod tests;
