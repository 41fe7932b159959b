//! What a policy accepts of the engine: mode, kernels, instruction set, and the code of GPUs.

use crate::{AllowList, NamedDigest, gpu::VersionFloor};
use attestation::manifest::Arithmetic;

/// `[engine]`: each list is optional, one of them is there.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct EngineRules {
    /// `modes`: the manifest's `engine`, e.g. `cpu/deterministic`.
    pub modes: Option<AllowList<String>>,
    /// `[[engine.kernels]]`: the manifest's `kernels-digest`.
    pub kernels: Option<AllowList<NamedDigest<32>>>,
    /// `isa`: the manifest's `isa`, e.g. `avx512-vnni`.
    pub isa: Option<AllowList<String>>,
    /// `[engine.gpu]`: of nodes with GPUs.
    pub gpu: Option<GpuCodeRules>,
}

/// `[engine.gpu]`: each rule is optional, one of them is there. A node with devices that says nothing of their code is denied.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct GpuCodeRules {
    /// `[[engine.gpu.cubins]]`: the manifest's `cubins-digest`.
    pub cubins: Option<AllowList<NamedDigest<32>>>,
    /// `arithmetic`: the manifest's `arithmetic`.
    pub arithmetic: Option<AllowList<Arithmetic>>,
    /// `minimum_driver`: the manifest's `driver` is this one or a later one.
    pub minimum_driver: Option<VersionFloor>,
}

/// Names of the arithmetics in a document.
pub(crate) const ARITHMETICS: [(&str, Arithmetic); 2] =
    [("exact", Arithmetic::Exact), ("fast", Arithmetic::Fast)];
