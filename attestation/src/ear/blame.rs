//! What a check says of trustworthiness when it fails, by the segments of its code.

use super::Aspect;

/// "Unexpected evidence": elements that the verifier cannot parse.
pub(super) const UNEXPECTED: i8 = 1;
/// "Cryptographic validation failed."
const CRYPTO_FAILED: i8 = 99;

/// From the most to the least particular: any of the segments, then the claim that follows.
const BY_SEGMENT: &[(&[&str], Aspect, i8)] = &[
    // A key that its vendor has taken back: "recognized, but not trustworthy".
    (&["revoked", "ocsp"], Aspect::InstanceIdentity, 96),
    // "In-memory objects are unacceptably visible within the physical host."
    (&["debug", "migratable"], Aspect::RuntimeOpaque, 96),
    // "Genuine, but known security vulnerabilities."
    (&["level", "status", "minimum_tcb"], Aspect::Hardware, 32),
    // "Recognized, but contraindicated": the policy wants another machine.
    (
        &["product", "anchors", "cpu", "signing_key", "chip_id"],
        Aspect::Hardware,
        96,
    ),
    // "Executables that are not recognized."
    (
        &["measurement", "measurements", "runtime", "model", "replay"],
        Aspect::Executables,
        33,
    ),
    // "Unacceptable security vulnerabilities" exposed by the configuration.
    (
        &["guest_policy", "platform_info", "attributes", "vmpl"],
        Aspect::Configuration,
        96,
    ),
];

/// Which claim a failed check makes; one that is not about anything in particular is about authenticity.
pub(super) fn blame(code: &str) -> (Aspect, i8) {
    let segments: Vec<&str> = code.split('.').collect();
    let found = BY_SEGMENT
        .iter()
        .find(|(of_rule, ..)| segments.iter().any(|segment| of_rule.contains(segment)));
    found.map_or(
        (Aspect::InstanceIdentity, CRYPTO_FAILED),
        |(_, aspect, value)| (*aspect, *value),
    )
}
