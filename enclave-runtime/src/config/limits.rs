//! `[limits]`: how much of everything.

use super::section::Section;
use crate::Limits;
use std::time::Duration;

/// A duration's field, and the seconds that it may have.
type Seconds = (&'static str, std::ops::RangeInclusive<u64>);

const KEY_WINDOW: Seconds = ("key_window_seconds", 60..=3600);
const KEY_GRACE: Seconds = ("key_grace_seconds", 0..=600);

/// Reads the section; an absent field is the default.
pub(super) fn read(mut section: Section<'_>, mistakes: &mut Vec<String>) -> Limits {
    let default = Limits::default();
    let limits = Limits {
        max_connections: section.count("max_connections", default.max_connections),
        max_in_flight: section.count("max_in_flight", default.max_in_flight),
        max_challenges: section.count("max_challenges", default.max_challenges),
        max_request_bytes: request_bytes(&mut section, default.max_request_bytes),
        replay_capacity: section.count("replay_capacity", default.replay_capacity),
        max_bindings: section.count("max_bindings", default.max_bindings),
        kept_receipts: section.count("kept_receipts", default.kept_receipts),
        key_window: seconds_in(&mut section, KEY_WINDOW, default.key_window),
        key_grace: seconds_in(&mut section, KEY_GRACE, default.key_grace),
        envelope_timeout: section.seconds("envelope_timeout_seconds", default.envelope_timeout),
        answer_timeout: section.seconds("answer_timeout_seconds", default.answer_timeout),
        drain_timeout: section.seconds("drain_timeout_seconds", default.drain_timeout),
        ..default
    };
    section.finish(mistakes);
    limits
}

fn request_bytes(section: &mut Section<'_>, default: u32) -> u32 {
    let in_range = |bytes: u32| (1024..=64 * 1024 * 1024).contains(&bytes).then_some(bytes);
    section
        .optional("max_request_bytes", "1024 to 67108864", in_range)
        .unwrap_or(default)
}

fn seconds_in(section: &mut Section<'_>, (name, range): Seconds, default: Duration) -> Duration {
    let expected = format!("{} to {}", range.start(), range.end());
    let in_range = |seconds: u64| {
        range
            .contains(&seconds)
            .then(|| Duration::from_secs(seconds))
    };
    section
        .optional(name, &expected, in_range)
        .unwrap_or(default)
}
