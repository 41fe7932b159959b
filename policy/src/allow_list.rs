//! Lists that accept: never empty, no entry twice.

/// A list with at least one entry; only the document's parser makes one.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AllowList<T>(Vec<T>);

/// A digest of `N` bytes with the name that its policy gives it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NamedDigest<const N: usize> {
    /// What people call it.
    pub name: String,
    /// What counts.
    pub digest: [u8; N],
}

impl<T> AllowList<T> {
    /// `None` if there is nothing in `entries`.
    pub(crate) fn new(entries: Vec<T>) -> Option<Self> {
        (!entries.is_empty()).then_some(Self(entries))
    }

    /// The entries, in the document's order.
    pub fn iter(&self) -> impl Iterator<Item = &T> {
        self.0.iter()
    }

    /// Number of entries, at least one.
    #[must_use]
    #[expect(clippy::len_without_is_empty, reason = "an allow-list is never empty")]
    pub const fn len(&self) -> usize {
        self.0.len()
    }
}

impl<T: PartialEq> AllowList<T> {
    /// Whether `entry` is accepted.
    #[must_use]
    pub fn contains(&self, entry: &T) -> bool {
        self.0.contains(entry)
    }
}
