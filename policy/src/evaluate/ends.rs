//! When an admission ends: with the first of its grounds.

use attestation::UnixTime;

/// The least end of those told so far.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Ends {
    now: UnixTime,
    least: UnixTime,
}

impl Ends {
    /// An admission at `now` that ends at `end` at the latest.
    pub(crate) const fn before(now: UnixTime, end: UnixTime) -> Self {
        Self { now, least: end }
    }

    /// A rule that is met until `end`. One that ended before `now` is not met but waived: the exception has an end of its own.
    pub(crate) fn rule(&mut self, end: impl Into<Option<UnixTime>>) {
        let end = end.into().filter(|end| *end >= self.now);
        self.least = end.map_or(self.least, |end| end.min(self.least));
    }

    /// The end of the admission.
    pub(crate) const fn least(self) -> UnixTime {
        self.least
    }
}
