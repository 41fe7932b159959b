//! Values that evidence is compared with (RFC 9334 section 8.3): what a release measures, and when that is accepted.

use crate::{AllowList, Validity};

/// A value of `N` bytes that is accepted in its window.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ReferenceValue<const N: usize> {
    /// What people call it.
    pub name: String,
    /// What counts.
    pub digest: [u8; N],
    /// The release that it is of.
    pub release: Option<String>,
    /// When it is accepted.
    pub validity: Validity,
}

impl<const N: usize> AllowList<ReferenceValue<N>> {
    /// The entry of `digest`, whether or not it is accepted now.
    #[must_use]
    pub fn find(&self, digest: &[u8; N]) -> Option<&ReferenceValue<N>> {
        self.iter().find(|known| known.digest == *digest)
    }
}
