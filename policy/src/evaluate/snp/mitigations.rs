//! The mitigation vectors against the bits that must be set.

use crate::{Reason, snp::MitigationRules};
use attestation::snp::SnpClaims;

pub(super) fn reasons(rules: &MitigationRules, claims: &SnpClaims) -> Vec<Reason> {
    let launch = ("launch", rules.launch, claims.launch_mit_vector);
    let current = ("current", rules.current, claims.current_mit_vector);
    let vectors = [launch, current].into_iter();
    vectors
        .filter(|(_, required, vector)| vector.unwrap_or_default() & required != *required)
        .map(|(name, required, vector)| unmet(name, required, vector))
        .collect()
}

fn unmet(name: &str, required: u64, vector: Option<u64>) -> Reason {
    let bits = (0..64).filter(|bit| required >> bit & 1 == 1);
    let bits: Vec<_> = bits.map(|bit: u32| bit.to_string()).collect();
    Reason::new(
        "policy.snp.mitigation",
        format!("snp.required_mitigations.{name}"),
        format!("bits set: {}", bits.join(", ")),
        vector.map_or_else(|| "no vector".to_owned(), |bits| format!("{bits:#018x}")),
    )
}
