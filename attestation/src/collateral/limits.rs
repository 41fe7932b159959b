//! Caps on a bundle and on each of its parts, with room to spare over what the vendors publish.

/// Largest bundle accepted, in bytes.
pub const MAX_COLLATERAL_BYTES: usize = 8 * 1024 * 1024;

/// Most items in an entry, and the most bytes of one.
#[derive(Clone, Copy)]
pub(super) struct Cap {
    pub(super) items: usize,
    pub(super) bytes: usize,
}

/// A certificate takes less than 2 KiB; a fleet has a VCEK for each chip.
pub(super) const CERTIFICATES: Cap = Cap {
    items: 1024,
    bytes: 8 * 1024,
};
/// AMD has three roots.
pub(super) const SNP_CRLS: Cap = Cap {
    items: 16,
    bytes: 512 * 1024,
};
/// Collateral of one FMSPC takes less than 32 KiB.
pub(super) const TDX: Cap = Cap {
    items: 64,
    bytes: 1024 * 1024,
};
/// A reference integrity manifest takes some 20 KiB.
pub(super) const RIMS: Cap = Cap {
    items: 128,
    bytes: 1024 * 1024,
};
/// An OCSP response takes 1 KiB; a device needs five, a manifest three.
pub(super) const OCSP: Cap = Cap {
    items: 1024,
    bytes: 16 * 1024,
};
/// TCB info and QE identity, JSON.
pub(super) const TDX_DOCUMENT_BYTES: usize = 256 * 1024;
/// Intel's revocation lists.
pub(super) const TDX_CRL_BYTES: usize = 512 * 1024;
/// Leaf, intermediate and root, and room for one more.
pub(super) const CHAIN: Cap = Cap {
    items: 4,
    bytes: 8 * 1024,
};
