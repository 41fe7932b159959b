//! A runtime whose own policy denies what it states of itself does not start.

use crate::support::{NOW, engine::ScriptedEngine, policy_text, prepare_under, signed};
use enclave_runtime::{Parts, StartError};
use protocol::PaddingProfile;

/// Codes of the reasons for which a runtime does not start under a policy with `more` behind it.
fn denied(more: &str, edit: impl FnOnce(&mut Parts)) -> Vec<&'static str> {
    let in_force = signed(&(policy_text().to_toml() + more));
    match prepare_under(in_force, ScriptedEngine::default(), edit) {
        Ok(_) => Vec::new(),
        Err(StartError::Policy(reasons)) => reasons.iter().map(|reason| reason.code).collect(),
        Err(other) => panic!("{other}"),
    }
}

#[test]
fn padding_below_the_minimum() {
    let more = "[channel]\nminimum_padding = \"default\"\n";
    let padded = |padding| denied(more, |parts| parts.padding = padding);
    assert_eq!(padded(PaddingProfile::Off).len(), 1);
    assert!(padded(PaddingProfile::Default).is_empty());
    assert!(padded(PaddingProfile::Strict).is_empty());
}

#[test]
fn limits_above_the_maximum() {
    let more = "[limits]\nmaximum_request_bytes = 1048576\nmaximum_context_tokens = 63\n";
    let limited = |bytes| denied(more, |parts| parts.limits.max_request_bytes = bytes).len();
    assert_eq!((limited(1_048_577), limited(1_048_576)), (2, 1));
}

#[test]
fn a_bill_of_materials_that_is_demanded_and_absent() {
    let more = "[aibom]\nrequired = true\n";
    assert_eq!(denied(more, |_| ()), ["policy.aibom"]);
    assert!(denied(more, |parts| parts.aibom_digest = Some([1; 32])).is_empty());
}

#[test]
fn an_exception_lets_it_start_in_its_time() {
    let [from, soon, until] = [NOW.0 - 10, NOW.0 + 10, NOW.0 + 100]
        .map(|seconds| attestation::UnixTime(seconds).to_rfc3339());
    let exception = |from: &str| {
        format!(
            "[aibom]\nrequired = true\n[[exceptions]]\ncode = \"policy.aibom\"\nwho = \"operations\"\nwhy = \"it comes tomorrow\"\nfrom = {from}\nuntil = {until}\n"
        )
    };
    assert!(denied(&exception(&from), |_| ()).is_empty());
    assert_eq!(denied(&exception(&soon), |_| ()), ["policy.aibom"]);
}

#[test]
fn the_message_tells_every_reason() {
    let more = "[aibom]\nrequired = true\n[channel]\nminimum_padding = \"strict\"\n";
    let in_force = signed(&(policy_text().to_toml() + more));
    let error = prepare_under(in_force, ScriptedEngine::default(), |_| ())
        .err()
        .unwrap();
    assert_eq!(error.code(), "start.policy");
    let text = error.to_string();
    assert!(
        text.contains("policy.aibom") && text.contains("strict"),
        "{text}"
    );
}
