use super::answer;
use crate::Trust;

const AT: &str = "2026-06-01T00:00:00Z";

fn said(request: &str) -> (u64, String) {
    let answer = answer(request.as_bytes(), &Trust::vendor());
    let answer: serde_json::Value = serde_json::from_str(&answer).unwrap();
    let code = answer["code"].as_str().unwrap().to_owned();
    (answer["exit"].as_u64().unwrap(), code)
}

#[test]
fn what_is_no_request_is_told_so() {
    let snp = |members: &str| format!(r#"{{"snp":{{{members},"chain":[],"crls":[]}}}}"#);
    for request in [
        String::new(),
        "{}".into(),
        "[]".into(),
        r#"{"sgx":{}}"#.into(),
        snp(r#""report":"zz","vek":"","at":"2026-06-01T00:00:00Z""#),
        snp(r#""report":"","vek":"","at":"2026-06-01""#),
        snp(r#""report":"","vek":"""#),
        snp(r#""report":"","vek":"","at":"2026-06-01T00:00:00Z","x":1"#),
        snp(r#""report":"","vek":"","vek":"","at":"2026-06-01T00:00:00Z""#),
        r#"{"snp":{"report":"","vek":"","chain":[],"crls":[],"at":"2026-06-01T00:00:00Z"},"tdx":{}}"#.into(),
        r#"{"bundle":{"bundle":"","nonce":"00","at":"2026-06-01T00:00:00Z"}}"#.into(),
        r#"{"tdx":{"quote":"","at":"2026-06-01T00:00:00Z"}} "#.to_owned() + "{}",
    ] {
        assert_eq!(said(&request), (2, "request".into()), "{request}");
    }
}

#[test]
fn a_request_beyond_the_cap_is_none() {
    let padding = " ".repeat(crate::request::MAX_REQUEST_BYTES);
    let request = format!(r#"{{"tdx":{{"quote":"","at":"{AT}"}}}}"#);
    assert_eq!(said(&request).0, 30);
    assert_eq!(said(&(padding + &request)).0, 2);
}

#[test]
fn empty_evidence_is_malformed() {
    for (request, code) in [
        (
            r#""snp":{"report":"","vek":"","chain":[],"crls":[],"#,
            "snp.report.size",
        ),
        (r#""tdx":{"quote":"","#, "tdx.quote.size"),
        (
            r#""nvidia":{"report":"","chain":[],"rims":[],"ocsp":[],"#,
            "nvidia.report.size",
        ),
        (
            r#""nvidia_machine":{"evidence":"","rims":[],"ocsp":[],"#,
            "nvidia.evidence.form",
        ),
        (
            r#""azure":{"hcl_report":"","chain":[],"crls":[],"#,
            "azure.hcl.header",
        ),
        (r#""bundle":{"bundle":"","#, "bundle.encoding"),
    ] {
        let request = format!(r#"{{{request}"at":"{AT}"}}}}"#);
        assert_eq!(said(&request), (30, code.into()), "{request}");
    }
}
