//! Verifiers with invented vendors. Banned by clippy outside `tee-sim` and `tests`; what they verify is `Anchors::Custom`.

use crate::{
    Verifier,
    roots::{NvidiaRoots, Roots, SnpRoots, TdxRoots},
};

/// A verifier that trusts these roots, some or all of them invented: what it verifies is `Anchors::Custom`.
#[must_use]
pub fn verifier(roots: Roots) -> Verifier {
    Verifier::custom(roots)
}

/// [`verifier`] with this invented root of SNP, and the vendors' of everything else.
#[must_use]
pub fn verifier_with_roots(ark_der: &[u8], ask_der: &[u8]) -> Verifier {
    Verifier::custom(Roots {
        snp: SnpRoots::invented(ark_der, ask_der),
        ..Roots::vendor()
    })
}

/// An SNP root (ARK) for every product, invented, with `ask_der` as its built-in intermediate.
///
/// Bytes that are no certificate are no error here: such roots accept nothing.
#[must_use]
pub fn snp_roots(ark_der: &[u8], ask_der: &[u8]) -> SnpRoots {
    SnpRoots::invented(ark_der, ask_der)
}

/// NVIDIA's two roots, invented: who devices are, and who says what their firmware should measure.
///
/// Bytes that are no certificate are no error here: such roots accept nothing.
#[must_use]
pub fn nvidia_roots(device_root_der: &[u8], rim_root_der: &[u8]) -> NvidiaRoots {
    NvidiaRoots::invented(device_root_der, rim_root_der)
}

/// Intel's root, invented.
///
/// Bytes that are no certificate are no error here: such a root accepts nothing.
#[must_use]
pub fn tdx_roots(root_der: &[u8]) -> TdxRoots {
    TdxRoots::invented(root_der)
}
