//! What a check says of trustworthiness when it fails, by the segments of its code.

use super::Aspect;

/// "Unexpected evidence": elements that the verifier cannot parse.
pub(super) const UNEXPECTED: i8 = 1;
/// "Cryptographic validation failed."
const CRYPTO_FAILED: i8 = 99;

/// From the most to the least particular: parts of codes, then the claim that follows from any of them.
const BY_PART: &[(&[&str], Aspect, i8)] = &[
    // A key that its vendor has taken back: "recognized, but not trustworthy".
    (&["revoked", "ocsp.hold"], Aspect::InstanceIdentity, 96),
    // "In-memory objects are unacceptably visible within the physical host."
    (&["debug", "migratable"], Aspect::RuntimeOpaque, 96),
    // "Genuine, but known security vulnerabilities."
    (
        &[
            "level",
            "tcb.status",
            "tdx.status",
            "tdx.grace",
            "minimum_tcb",
        ],
        Aspect::Hardware,
        32,
    ),
    // "Recognized, but contraindicated": the policy wants another machine.
    (
        &[
            "product",
            "anchors",
            "cpu",
            "signing_key",
            "gpu.architecture",
            "gpu.count",
        ],
        Aspect::Hardware,
        96,
    ),
    // "Executables that are not recognized."
    (
        &[
            "measurement",
            "measurements",
            "gpu.driver",
            "gpu.vbios",
            "event_log",
            "runtime",
            "model",
        ],
        Aspect::Executables,
        33,
    ),
    // "Unacceptable security vulnerabilities" exposed by the configuration.
    (
        &[
            "guest_policy",
            "platform_info",
            "attributes",
            "vmpl",
            "gpu.mode",
            "service_td",
        ],
        Aspect::Configuration,
        96,
    ),
];

/// Which claim a failed check makes; one that is not about anything in particular is about authenticity.
pub(super) fn blame(code: &str) -> (Aspect, i8) {
    let found = BY_PART
        .iter()
        .find(|(parts, ..)| parts.iter().any(|part| has_part(code, part)));
    found.map_or(
        (Aspect::InstanceIdentity, CRYPTO_FAILED),
        |(_, aspect, value)| (*aspect, *value),
    )
}

/// Whether whole segments of `code`, which dots separate, are `part`.
fn has_part(code: &str, part: &str) -> bool {
    format!(".{code}.").contains(&format!(".{part}."))
}
