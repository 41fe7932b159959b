use super::*;
use crate::cli::report::Retryable;
use serde_json::json;
use std::path::PathBuf;

/// Markup, an attribute's end, control characters, and marks that turn text around.
const HOSTILE: &str = "<script>alert(1)</script>\" onload='x' &amp; \u{202e}drawkcab\u{2066}\u{200f}\u{1b}[2J\u{9b}\r\n\u{2028}<!--";

fn hostile_parts() -> [Markup; 4] {
    let check = Check::fail(HOSTILE, HOSTILE)
        .section(HOSTILE)
        .detail(HOSTILE);
    let report = Report::of(vec![check], json!({HOSTILE: HOSTILE}));
    let input = Input {
        path: PathBuf::from(HOSTILE),
        size_bytes: 1,
        sha256: [7; 32],
    };
    [
        verdict_box(&report),
        inputs_table(&[input]),
        checks_table(&report.checks),
        claims_table(&report.claims),
    ]
}

#[test]
fn no_input_becomes_markup_or_turns_text_around() {
    for part in hostile_parts() {
        let part = part.into_string();
        assert!(part.contains("&lt;script&gt;"), "{part}");
        for forbidden in [
            "<script",
            "<!--",
            "\" onload",
            "\u{202e}",
            "\u{2066}",
            "\u{200f}",
        ] {
            assert!(!part.contains(forbidden), "{forbidden:?} in {part}");
        }
        assert!(!part.chars().any(|c| c.is_control()), "{part}");
        assert!(
            part.contains("&amp;amp;"),
            "escaped once more, not taken for an entity: {part}"
        );
    }
}

#[test]
fn a_verdict_is_told_in_words() {
    let text = |exit| {
        let report = Report::of(Vec::new(), Value::Null).and(exit, Retryable::Yes);
        verdict_box(&report).into_string()
    };
    let accepted = text(Exit::Accepted);
    assert!(accepted.contains("<strong>ACCEPTED</strong>"), "{accepted}");
    let rejected = text(Exit::Rejected);
    assert!(rejected.contains("<strong>REJECTED</strong>"), "{rejected}");
    assert!(rejected.contains("Exit status 10."), "{rejected}");
    assert!(
        rejected.contains("collateral that is current"),
        "{rejected}"
    );
}

#[test]
fn the_style_loads_nothing_and_is_the_one_allowed() {
    assert!(!STYLE.contains("url(") && !STYLE.contains("@import") && !STYLE.contains('<'));
    let expected = STANDARD.encode(crypto::sha256(STYLE.as_bytes()));
    assert!(security_policy().contains(&format!("style-src 'sha256-{expected}'")));
    assert!(security_policy().starts_with("default-src 'none';"));
}
