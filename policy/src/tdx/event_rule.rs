//! Rules about single events of the measured boot.

use crate::Position;
use attestation::eventlog::{Event, EventType};

/// `[[tdx.events]]`: an event that must have been measured, or must not.
///
/// It is named by register and digest alone: the type and the data that a log gives it are not measured, so that whoever
/// writes the log could call it something else.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct EventRule {
    /// What people call it.
    pub name: String,
    /// The RTMR that it is extended into, 0 to 3.
    pub rtmr: usize,
    /// The digest that is extended.
    pub digest: [u8; 48],
    /// Whether it must be there.
    pub presence: Presence,
    /// Where the rule stands in the document.
    pub at: Position,
}

/// Whether an event must have been measured.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Presence {
    /// `require`: at least once.
    Require,
    /// `forbid`: never.
    Forbid,
}

/// Names of the rules in a document.
pub(crate) const PRESENCES: [(&str, Presence); 2] =
    [("require", Presence::Require), ("forbid", Presence::Forbid)];

impl EventRule {
    /// Whether the events are as the rule says. An EV_NO_ACTION is extended into no register: it shows nothing.
    #[must_use]
    pub fn accepts(&self, events: &[Event]) -> bool {
        let is_it = |event: &Event| {
            event.rtmr() == Some(self.rtmr)
                && event.sha384() == Some(&self.digest)
                && event.kind != EventType::NO_ACTION
        };
        events.iter().any(is_it) == (self.presence == Presence::Require)
    }
}
