//! Why the bytes of a bundle were refused.

use super::MAX_COLLATERAL_BYTES;

/// The fault, in the order in which faults are looked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum CollateralError {
    /// Longer than [`MAX_COLLATERAL_BYTES`].
    #[error("the collateral bundle is larger than {} MiB", MAX_COLLATERAL_BYTES >> 20)]
    TooLarge,
    /// Not a map with text keys in deterministic CBOR (RFC 8949 section 4.2.1).
    #[error("the collateral bundle is not deterministic CBOR")]
    NotDeterministic,
    /// Not as docs/collateral.md describes it: absent, mistyped, empty, or of another media type.
    #[error("the collateral bundle's {0:?} is absent, empty or malformed")]
    Entry(&'static str),
    /// More items than the entry may have.
    #[error("the collateral bundle has too many items in {0:?}")]
    Count(&'static str),
    /// An item that is larger than any of its kind.
    #[error(
        "the collateral bundle's {0:?} is, or has an item that is, larger than any of its kind"
    )]
    PartSize(&'static str),
    /// Items that are there twice, or not in ascending order of their bytes.
    #[error("the collateral bundle's {0:?} has an item twice, or items out of order")]
    Order(&'static str),
    /// An entry that docs/collateral.md does not describe.
    #[error("the collateral bundle has an unknown entry")]
    UnknownEntry,
    /// Nothing in it.
    #[error("the collateral bundle is empty")]
    Empty,
}

impl CollateralError {
    /// Stable code.
    #[must_use]
    pub const fn code(&self) -> &'static str {
        match self {
            Self::TooLarge => "collateral.size",
            Self::NotDeterministic => "collateral.encoding",
            Self::Entry(_) => "collateral.entry",
            Self::Count(_) => "collateral.count",
            Self::PartSize(_) => "collateral.part_size",
            Self::Order(_) => "collateral.order",
            Self::UnknownEntry => "collateral.unknown_entry",
            Self::Empty => "collateral.empty",
        }
    }
}
