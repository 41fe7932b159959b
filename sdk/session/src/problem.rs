//! `application/problem+json` (RFC 9457) from the gateway: unauthenticated, so it is shown, and acted on within bounds.

use serde::Deserialize;

/// RFC 9458 section 5.3.
const KEY_PROBLEM: &str = "https://iana.org/assignments/http-problem-types#ohttp-key";
/// The largest document read.
pub(crate) const MAX_PROBLEM_BYTES: usize = 16 * 1024;
const MAX_SHOWN_CHARS: usize = 200;

/// The members that are looked at.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(crate) struct Problem {
    #[serde(rename = "type")]
    kind: String,
    code: String,
    title: String,
    detail: String,
}

impl Problem {
    /// A body that is no problem document, or too large, gives an empty one.
    pub(crate) fn parse(body: &[u8]) -> Self {
        if body.len() > MAX_PROBLEM_BYTES {
            return Self::default();
        }
        serde_json::from_slice(body).unwrap_or_default()
    }

    pub(crate) fn is_key_problem(&self) -> bool {
        self.kind == KEY_PROBLEM
    }

    pub(crate) fn is_envelope_refused(&self) -> bool {
        self.code == "runtime.envelope"
    }

    /// The gateway did not reach the node, or does not know it any more: as far as anyone can tell, nothing was served.
    pub(crate) fn is_node_absent(&self) -> bool {
        let absent = ["gateway.upstream_unreachable", "gateway.unknown_node"];
        absent.contains(&self.code.as_str())
    }

    /// `: TITLE (DETAIL)` without control characters, or nothing.
    pub(crate) fn detail(&self) -> String {
        let text = match (self.title.as_str(), self.detail.as_str()) {
            ("", "") => return String::new(),
            (title, "") => format!(": {title}"),
            ("", detail) => format!(": {detail}"),
            (title, detail) => format!(": {title} ({detail})"),
        };
        let shown = text.chars().filter(|c| !c.is_control());
        shown.take(MAX_SHOWN_CHARS).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_the_gateway_says_cannot_write_to_a_terminal() {
        let problem = Problem::parse(br#"{"title":"a\u001b[2Jb","detail":"c\n"}"#);
        assert_eq!(problem.detail(), ": a[2Jb (c)");
        for body in [
            b"".as_slice(),
            b"[]",
            br#"{"title":1}"#,
            &[b' '; MAX_PROBLEM_BYTES + 1],
        ] {
            assert_eq!(Problem::parse(body).detail(), "");
        }
    }

    #[test]
    fn only_the_registered_type_is_the_key_problem() {
        let of = |kind: &str| Problem::parse(format!(r#"{{"type":"{kind}"}}"#).as_bytes());
        assert!(of(KEY_PROBLEM).is_key_problem());
        assert!(!of("https://example.org/ohttp-key").is_key_problem());
    }
}
