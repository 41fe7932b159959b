//! What a client says of a node, compared with what the gateway says: neither believes the other, and a difference is worth an alarm.

use crate::{
    api_key::KeyNumber,
    gateway::Core,
    problem::Problem,
    registry::{Node, Verdict},
    telemetry,
    upstream::has_media_type,
};
use attestation::Digest;
use hyper::{Request, body::Incoming};
use listener::read_body;
use serde::{Deserialize, Serialize};
use std::time::{Duration, Instant};

/// Reports that one key may send at once, and how often one more.
pub(crate) const BURST: u32 = 60;
pub(crate) const PERIOD: Duration = Duration::from_secs(1);

const MEDIA_TYPE: &str = "application/json";
const MAX_REPORT_BYTES: usize = 4096;
const MAX_CODE_BYTES: usize = 64;

/// A client's verdict. It is not believed: it admits nothing and refuses nothing.
#[derive(Debug, PartialEq, Eq, Deserialize)]
#[serde(try_from = "Document")]
pub(crate) struct Report {
    /// `None`: the client admits the node.
    pub(crate) code: Option<Code>,
    pub(crate) policy_digest: Digest,
}

/// A reason code: 1 to 64 of `a-z 0-9 . _`, so that it may be logged.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Code(String);

/// The report as it is written.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Document {
    admitted: bool,
    code: Option<String>,
    policy_digest: String,
}

/// The gateway's own verdict, as the client is told.
#[derive(Debug, PartialEq, Eq, Serialize)]
pub(crate) struct OwnVerdict {
    pub(crate) admitted: bool,
    pub(crate) code: Option<&'static str>,
    pub(crate) policy_version: u64,
    pub(crate) policy_digest: String,
}

/// Who refuses what the other admits.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Side {
    Client,
    Gateway,
}

impl Side {
    pub(crate) const fn as_str(self) -> &'static str {
        match self {
            Self::Client => "client",
            Self::Gateway => "gateway",
        }
    }
}

impl Code {
    fn parse(text: String) -> Option<Self> {
        let allowed =
            |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || b"._".contains(&byte);
        let well_formed = (1..=MAX_CODE_BYTES).contains(&text.len()) && text.bytes().all(allowed);
        well_formed.then_some(Self(text))
    }

    pub(crate) fn as_str(&self) -> &str {
        &self.0
    }
}

impl TryFrom<Document> for Report {
    type Error = &'static str;

    /// Either admitted, or not and why.
    fn try_from(document: Document) -> Result<Self, &'static str> {
        let code = match (document.admitted, document.code) {
            (true, None) => None,
            (false, Some(code)) => Some(Code::parse(code).ok_or("code")?),
            _ => return Err("admitted"),
        };
        let mut policy_digest = Digest::default();
        hex::decode_to_slice(document.policy_digest, &mut policy_digest)
            .map_err(|_| "policy_digest")?;
        Ok(Self {
            code,
            policy_digest,
        })
    }
}

/// Compares a client's verdict on `node` with the gateway's, and answers with the latter.
// R8.7
pub(crate) async fn compare(
    core: &Core,
    node: &Node,
    client: KeyNumber,
    request: Request<Incoming>,
) -> Result<OwnVerdict, Problem> {
    if !has_media_type(request.headers(), MEDIA_TYPE) {
        return Err(Problem::MediaType);
    }
    core.reports
        .get(client.0)
        .map_or(Ok(()), |rate| rate.take(Instant::now()))?;
    let body = request.into_body();
    let bytes = read_body(body, MAX_REPORT_BYTES, core.relay.request_timeout).await?;
    let report: Report = serde_json::from_slice(&bytes).map_err(|_| Problem::Verdict)?;
    let verdict = node.verdict_at(core.clock.now());
    let own = own_verdict(core, &verdict);
    if let Some(side) = difference(&report, &verdict) {
        core.metrics.verdicts_differ(&node.name, side);
        telemetry::verdicts_differ(&node.name, client, &report, &own);
    }
    Ok(own)
}

fn own_verdict(core: &Core, verdict: &Verdict) -> OwnVerdict {
    let standing = core.standing.load();
    let policy = standing.in_force().policy();
    OwnVerdict {
        admitted: matches!(verdict, Verdict::Admitted(_)),
        code: verdict.code(),
        policy_version: policy.version(),
        policy_digest: hex::encode(policy.digest()),
    }
}

/// A gateway that could not look at the node has nothing to compare.
const fn difference(report: &Report, verdict: &Verdict) -> Option<Side> {
    match (&report.code, verdict) {
        (Some(_), Verdict::Admitted(_)) => Some(Side::Client),
        (None, Verdict::Refused(_)) => Some(Side::Gateway),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const DIGEST: &str = "0101010101010101010101010101010101010101010101010101010101010101";

    fn parsed(text: &str) -> Option<Report> {
        serde_json::from_str(text).ok()
    }

    #[test]
    fn a_report_admits_or_says_why_not() {
        let text = format!(r#"{{"admitted": true, "policy_digest": "{DIGEST}"}}"#);
        let admitted = Report {
            code: None,
            policy_digest: [1; 32],
        };
        assert_eq!(parsed(&text).unwrap(), admitted);
        let with_null = text.replace("true,", "true, \"code\": null,");
        assert_eq!(parsed(&with_null).unwrap(), admitted);
        let refused = text.replace("true,", "false, \"code\": \"policy.snp.milan\",");
        let code = parsed(&refused).unwrap().code.unwrap();
        assert_eq!(code.as_str(), "policy.snp.milan");
    }

    #[test]
    fn anything_else_is_no_report() {
        let long = "a".repeat(MAX_CODE_BYTES + 1);
        let with = |fields: &str| format!(r#"{{{fields}, "policy_digest": "{DIGEST}"}}"#);
        let cases = [
            "{}".to_owned(),
            "[]".to_owned(),
            r#"{"admitted": true}"#.to_owned(),
            r#"{"admitted": true, "policy_digest": "01"}"#.to_owned(),
            with(r#""admitted": false"#),
            with(r#""admitted": 1"#),
            with(r#""admitted": true, "code": "policy.cpu""#),
            with(r#""admitted": true, "surprise": 1"#),
            with(r#""admitted": true, "admitted": true"#),
            with(r#""admitted": false, "code": """#),
            with(r#""admitted": false, "code": "a b""#),
            with(r#""admitted": false, "code": "a\n""#),
            with(r#""admitted": false, "code": "Policy""#),
            with(&format!(r#""admitted": false, "code": "{long}""#)),
            with(r#""admitted": true"#) + "x",
        ];
        for case in cases {
            assert_eq!(parsed(&case), None, "{case}");
        }
    }

    #[test]
    fn only_two_verdicts_that_differ_are_a_difference() {
        let admits = Report {
            code: None,
            policy_digest: [1; 32],
        };
        let refuses = Report {
            code: Code::parse("policy.cpu".to_owned()),
            policy_digest: [1; 32],
        };
        let (refused, unknown) = (
            Verdict::Refused("snp.signature"),
            Verdict::Unknown("upstream.unreachable"),
        );
        assert_eq!(difference(&admits, &refused), Some(Side::Gateway));
        assert_eq!(difference(&refuses, &refused), None);
        for report in [admits, refuses] {
            assert_eq!(difference(&report, &unknown), None);
        }
    }
}
