//! The measured events against the rules about them.

use super::super::told;
use crate::{
    AllowList, Reason,
    tdx::{EventRule, Presence},
};
use attestation::eventlog::Event;

/// Without a log no rule can be met, not even one that forbids.
pub(super) fn reasons(
    rules: Option<&AllowList<EventRule>>,
    events: Option<&[Event]>,
) -> Vec<Reason> {
    match (rules, events) {
        (None, _) => Vec::new(),
        (Some(_), None) => vec![reason("an event log", "none was given")],
        (Some(rules), Some(events)) => {
            let unmet = rules.iter().filter(|rule| !rule.accepts(events));
            unmet.map(of_rule).collect()
        }
    }
}

fn of_rule(rule: &EventRule) -> Reason {
    let digest = hex::encode(rule.digest);
    let event = format!("{} ({digest}) in RTMR{}", told(&rule.name), rule.rtmr);
    let (expected, actual) = match rule.presence {
        Presence::Require => (event, "not measured"),
        Presence::Forbid => (format!("no {event}"), "measured"),
    };
    Reason {
        at: Some(rule.at),
        ..reason(&expected, actual)
    }
}

fn reason(expected: &str, actual: &str) -> Reason {
    Reason::new("policy.tdx.events", "tdx.events", expected, actual)
}
