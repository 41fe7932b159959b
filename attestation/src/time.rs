//! Time as an argument: seconds since 1970-01-01T00:00:00Z.

/// Seconds since 1970-01-01T00:00:00Z, given by the caller; nothing in this crate reads a clock.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct UnixTime(pub u64);

impl UnixTime {
    /// This time moved forward by `seconds`, saturating.
    #[must_use]
    pub const fn plus(self, seconds: u64) -> Self {
        Self(self.0.saturating_add(seconds))
    }

    /// Seconds since `earlier`; zero if `earlier` is later.
    #[must_use]
    pub const fn since(self, earlier: Self) -> u64 {
        self.0.saturating_sub(earlier.0)
    }

    /// Parses RFC 3339 (`2026-06-01T00:00:00Z`, offsets allowed, fractions dropped).
    pub fn from_rfc3339(text: &str) -> Option<Self> {
        let _ = text;
        unimplemented!()
    }

    /// RFC 3339 in UTC, to the second.
    #[must_use]
    pub fn to_rfc3339(self) -> String {
        unimplemented!()
    }
}
