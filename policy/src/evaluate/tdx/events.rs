//! The measured events against the rules about them.

use super::super::told;
use crate::{
    AllowList, Reason,
    tdx::{EventRule, Presence},
};
use attestation::eventlog::Event;

const CODE: &str = "policy.tdx.events";
const RULE: &str = "tdx.events";

/// Without a log no rule can be met, not even one that forbids.
pub(super) fn reasons(
    rules: Option<&AllowList<EventRule>>,
    events: Option<&[Event]>,
) -> Vec<Reason> {
    match (rules, events) {
        (None, _) => Vec::new(),
        (Some(_), None) => vec![Reason::new(CODE, RULE, "an event log", "none was given")],
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
        ..Reason::new(CODE, format!("{RULE} of {}", rule.name), expected, actual)
    }
}
