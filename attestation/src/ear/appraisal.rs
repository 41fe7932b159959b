//! What a verifier tells, typed.

use super::{Tier, TrustworthinessVector};
use crate::UnixTime;
use serde_json::{Map, Value};
use std::collections::BTreeMap;

/// What one verification came to.
#[derive(Clone, Debug, PartialEq)]
pub struct AttestationResult {
    /// When it was issued.
    pub issued_at: UnixTime,
    /// Who issued it.
    pub verifier: VerifierId,
    /// The relying party's, 8 to 64 bytes: it knows by it that the result is fresh.
    pub nonce: Option<Vec<u8>>,
    /// Of the attester as a whole.
    pub status: Tier,
    /// Of each of its parts by name; never empty.
    pub submods: BTreeMap<String, Appraisal>,
}

/// The software that verified.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct VerifierId {
    /// Who is responsible for it.
    pub developer: String,
    /// Its name and version.
    pub build: String,
}

/// What is told of one part of the attester.
#[derive(Clone, Debug, PartialEq)]
pub struct Appraisal {
    /// The conclusion; never better than the vector's worst claim.
    pub status: Tier,
    /// What it rests on.
    pub vector: TrustworthinessVector,
    /// The policies that were applied.
    pub policy_ids: Vec<String>,
    /// What the evidence says of itself.
    pub attester_claims: Map<String, Value>,
    /// What the verifier adds.
    pub verifier_claims: Map<String, Value>,
}

impl Appraisal {
    /// With nothing but a conclusion and what it rests on.
    #[must_use]
    pub fn new(status: Tier, vector: TrustworthinessVector) -> Self {
        Self {
            status: status.max(vector.tier()),
            vector,
            policy_ids: Vec::new(),
            attester_claims: Map::new(),
            verifier_claims: Map::new(),
        }
    }
}
