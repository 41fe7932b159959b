//! A value against the list of those that are accepted.

use super::{listed, told};
use crate::{AllowList, Reason, reference_value::ReferenceValue};
use attestation::UnixTime;

/// A list of the document; `None`: it is not there, and nothing is asked.
pub(super) struct Accepted<'a, const N: usize> {
    pub(super) code: &'static str,
    pub(super) rule: &'static str,
    pub(super) values: Option<&'a AllowList<ReferenceValue<N>>>,
}

impl<const N: usize> Accepted<'_, N> {
    /// The reason against `actual`, if it is not listed or listed for another time.
    pub(super) fn reason(&self, actual: &[u8; N], now: UnixTime) -> Option<Reason> {
        let values = self.values?;
        let known = values.find(actual);
        if known.is_some_and(|known| known.validity.holds(now)) {
            return None;
        }
        let actual = hex::encode(actual);
        let actual = match known {
            None => actual,
            Some(known) => format!("{actual}: {}, accepted {}", named(known), known.validity),
        };
        let expected = listed(values.iter().map(described));
        Some(Reason::new(self.code, self.rule, expected, actual))
    }

    /// When `actual` ceases to be accepted.
    pub(super) fn end(&self, actual: &[u8; N]) -> Option<UnixTime> {
        self.values?.find(actual)?.validity.until
    }
}

fn named<const N: usize>(known: &ReferenceValue<N>) -> String {
    match &known.release {
        None => told(&known.name),
        Some(release) => format!("{} of {}", told(&known.name), told(release)),
    }
}

fn described<const N: usize>(known: &ReferenceValue<N>) -> String {
    let value = format!("{} ({})", named(known), hex::encode(known.digest));
    match known.validity {
        crate::Validity {
            from: None,
            until: None,
        } => value,
        window => format!("{value} {window}"),
    }
}
