//! `application/problem+json` (RFC 9457) from the gateway: unauthenticated, so it is shown, and acted on within bounds.

use http::Response;
use hyper::body::Incoming;
use serde::Deserialize;
use std::time::Duration;

/// RFC 9458 section 5.3.
const KEY_PROBLEM: &str = "https://iana.org/assignments/http-problem-types#ohttp-key";
const MAX_PROBLEM_BYTES: usize = 16 * 1024;
const MAX_SHOWN_CHARS: usize = 200;
const PROBLEM_TIMEOUT: Duration = Duration::from_secs(5);

/// The members that the client looks at; a body that is no problem document gives an empty one.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(crate) struct Problem {
    #[serde(rename = "type")]
    kind: String,
    title: String,
    detail: String,
    code: String,
}

impl Problem {
    pub(crate) async fn read(response: Response<Incoming>) -> Self {
        listener::read_body(response.into_body(), MAX_PROBLEM_BYTES, PROBLEM_TIMEOUT)
            .await
            .ok()
            .and_then(|bytes| serde_json::from_slice(&bytes).ok())
            .unwrap_or_default()
    }

    pub(crate) fn is_key_problem(&self) -> bool {
        self.kind == KEY_PROBLEM
    }

    /// The runtime refused the envelope as such: it may have restarted under the same key id.
    pub(crate) fn is_envelope_refused(&self) -> bool {
        self.code == "runtime.envelope"
    }

    /// The gateway did not reach the node, or does not know it any more: as far as anyone can tell, nothing was served.
    pub(crate) fn is_node_absent(&self) -> bool {
        matches!(
            self.code.as_str(),
            "gateway.upstream_unreachable" | "gateway.unknown_node"
        )
    }

    /// `: TITLE (DETAIL)` without control characters, or nothing.
    pub(crate) fn detail(&self) -> String {
        let text = match (self.title.as_str(), self.detail.as_str()) {
            ("", "") => return String::new(),
            (title, "") => format!(": {title}"),
            ("", detail) => format!(": {detail}"),
            (title, detail) => format!(": {title} ({detail})"),
        };
        text.chars()
            .filter(|c| !c.is_control())
            .take(MAX_SHOWN_CHARS)
            .collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_the_gateway_says_cannot_write_to_the_terminal() {
        let problem: Problem =
            serde_json::from_str(r#"{"title":"a\u001b[2Jb","detail":"c\n"}"#).unwrap();
        assert_eq!(problem.detail(), ": a[2Jb (c)");
        assert_eq!(Problem::default().detail(), "");
    }
}
