//! `--at`: the time at which something is judged.

use super::Context;
use attestation::UnixTime;

/// Parses RFC 3339 for clap.
pub(crate) fn parse(text: &str) -> Result<UnixTime, String> {
    UnixTime::from_rfc3339(text)
        .ok_or_else(|| "not a time as in RFC 3339, e.g. 2026-06-01T00:00:00Z".to_owned())
}

/// The time given, or now.
pub(crate) fn or_now(at: Option<UnixTime>, context: &Context<'_>) -> UnixTime {
    at.unwrap_or_else(|| context.composition.clock.now())
}
