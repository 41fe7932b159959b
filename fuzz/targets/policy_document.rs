//! A policy document: never a panic, and what is accepted has a version, a digest and a lint.
#![no_main]

use narthex_fuzz::seeds;
use policy::Policy;

libfuzzer_sys::fuzz_target!(init: plant(), |data: &[u8]| check(data));

fn check(data: &[u8]) {
    match Policy::from_toml(data) {
        Ok(policy) => {
            assert_eq!(*policy.digest(), attestation::crypto::sha256(data));
            let _ = policy.lint();
        }
        Err(mistakes) => assert!(!mistakes.is_empty()),
    }
}

fn plant() {
    let text = include_str!("../../docs/policy.md");
    let sample = text
        .split("```toml\n")
        .nth(1)
        .and_then(|rest| rest.split("```").next());
    let sample = sample
        .expect("docs/policy.md has a sample")
        .as_bytes()
        .to_vec();
    assert!(Policy::from_toml(&sample).is_ok(), "the sample parses");
    seeds::plant([sample]);
}
