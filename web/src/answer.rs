//! The verdict as JSON, with the exit status that the `narthex` command gives the same evidence.

use crate::request::Evidence;
use attestation::{
    ErrorClass,
    roots::SnpRoots,
    snp::{self, STEPS, SnpClaims, SnpError},
};
use serde_json::{Value, json};

/// Answers one request. Debug guests are authentic, and rejected as everywhere where there is no policy to allow them.
#[must_use]
pub fn answer(request: &[u8]) -> String {
    let answer = match Evidence::parse(request) {
        None => json!({"exit": 2, "code": "request", "message": "not a request"}),
        Some(evidence) => match verify(&evidence) {
            Ok(claims) => authentic(&claims),
            Err(error) => refused(&error),
        },
    };
    answer.to_string()
}

fn verify(evidence: &Evidence) -> Result<SnpClaims, SnpError> {
    let chain: Vec<&[u8]> = evidence.chain.iter().map(Vec::as_slice).collect();
    let crls: Vec<&[u8]> = evidence.crls.iter().map(Vec::as_slice).collect();
    let snp = snp::Evidence {
        report: &evidence.report,
        vek: &evidence.vek,
        chain: &chain,
    };
    snp::verify(&snp, &crls, &SnpRoots::vendor(), evidence.at)
}

fn refused(error: &SnpError) -> Value {
    let exit = match error.class() {
        ErrorClass::Rejected => 10,
        ErrorClass::Unsupported | ErrorClass::Incomplete => 20,
        ErrorClass::Malformed => 30,
    };
    json!({
        "exit": exit,
        "code": error.code(),
        "message": error.to_string(),
        "retryable": error.retryable(),
    })
}

fn authentic(claims: &SnpClaims) -> Value {
    let (exit, code) = if claims.debug {
        (10, "snp.debug")
    } else {
        (0, "ok")
    };
    let steps = STEPS.iter().map(|step| (step.id, claims.detail(step)));
    json!({
        "exit": exit,
        "code": code,
        "product": claims.product.name(),
        "measurement": hex::encode(claims.measurement),
        "host_data": hex::encode(claims.host_data),
        "report_data": hex::encode(claims.report_data),
        "chip_id": claims.chip_id.map(hex::encode),
        "not_after": claims.not_after.to_rfc3339(),
        "steps": steps.map(|(id, detail)| json!({"id": id, "detail": detail})).collect::<Vec<_>>(),
    })
}

#[cfg(test)]
mod tests {
    use super::answer;

    #[test]
    fn what_is_no_request_is_told_so() {
        for request in [
            "",
            "{}",
            "[]",
            r#"{"report":"zz","vek":"","chain":[],"crls":[],"at":""}"#,
        ] {
            assert!(
                answer(request.as_bytes()).contains(r#""exit":2"#),
                "{request}"
            );
        }
        let unknown =
            r#"{"report":"","vek":"","chain":[],"crls":[],"at":"2026-06-01T00:00:00Z","x":1}"#;
        assert!(answer(unknown.as_bytes()).contains(r#""exit":2"#));
    }

    #[test]
    fn an_empty_report_is_malformed() {
        let request = r#"{"report":"","vek":"","chain":[],"crls":[],"at":"2026-06-01T00:00:00Z"}"#;
        let answer = answer(request.as_bytes());
        assert!(
            answer.contains(r#""exit":30"#) && answer.contains("snp.report.size"),
            "{answer}"
        );
    }
}
