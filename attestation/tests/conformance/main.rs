//! Runs the conformance suite, `testdata/<vendor>/<case>/case.json`: the verdict and the step that fails are those that it demands.
#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::disallowed_methods,
    reason = "tests, under the roots of invented vendors"
)]

mod case;
mod nvidia;
mod snp;
mod tdx;

use attestation::Step;
use case::{Verify, cases};

/// Runs every case of `vendor`, and finds each of `steps` failing in one unless `untold` says why none can make it fail.
fn conforms(vendor: &str, verify: Verify, steps: &[Step], untold: &[(&str, &str)]) {
    let cases = cases(vendor);
    assert!(!cases.is_empty(), "no cases of {vendor}");
    let told: Vec<String> = cases
        .iter()
        .filter_map(|case| case.verdict_differs(verify))
        .collect();
    assert!(
        told.is_empty(),
        "{} of {}:\n{}",
        told.len(),
        cases.len(),
        told.join("\n")
    );
    for step in steps {
        let fails = cases.iter().any(|case| case.code() == Some(step.id));
        let untold = untold.iter().any(|(id, _)| *id == step.id);
        assert!(
            fails != untold,
            "{}: in a case or among the untold, not both",
            step.id
        );
    }
}

#[test]
fn snp() {
    conforms("snp", snp::verify, attestation::snp::STEPS, &[]);
}

#[test]
fn tdx() {
    conforms("tdx", tdx::verify, attestation::tdx::STEPS, &[]);
}

#[test]
fn nvidia() {
    let untold = [
        (
            "nvidia.pdi",
            "a switch's alone; the device of the suite is a GPU",
        ),
        (
            "nvidia.window",
            "of verdicts on references that were verified before",
        ),
        (
            "nvidia.ocsp.cert_id",
            "responses about other certificates are not used",
        ),
    ];
    conforms(
        "nvidia",
        nvidia::verify,
        attestation::nvidia::STEPS,
        &untold,
    );
}
