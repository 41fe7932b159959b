//! What a policy accepts of the engine: mode, kernels and instruction set.

use crate::{AllowList, NamedDigest};

/// `[engine]`: each list is optional, one of them is there.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct EngineRules {
    /// `modes`: the manifest's `engine`, e.g. `cpu/deterministic`.
    pub modes: Option<AllowList<String>>,
    /// `[[engine.kernels]]`: the manifest's `kernels-digest`.
    pub kernels: Option<AllowList<NamedDigest<32>>>,
    /// `isa`: the manifest's `isa`, e.g. `avx512-vnni`.
    pub isa: Option<AllowList<String>>,
}
