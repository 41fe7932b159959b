//! The claims set of an EAR, in JSON and in CBOR (draft-ietf-rats-ear-04 section 3 and appendix A).

use super::{Appraisal, AttestationResult, TrustworthinessVector, token::base64url};
use crate::cbor;
use ciborium::Value as Cbor;
use serde_json::{Map, Value as Json, json};

/// The draft that is followed.
const PROFILE: &str = "tag:ietf.org,2026:rats/ear#04";

/// Keys in CBOR.
mod key {
    pub(super) const IAT: u16 = 6;
    pub(super) const NONCE: u16 = 10;
    pub(super) const PROFILE: u16 = 265;
    pub(super) const SUBMODS: u16 = 266;
    pub(super) const STATUS: u16 = 1000;
    pub(super) const TRUSTWORTHINESS_VECTOR: u16 = 1001;
    pub(super) const APPRAISAL_POLICY_IDS: u16 = 1003;
    pub(super) const VERIFIER_ID: u16 = 1004;
    pub(super) const ATTESTER_CLAIMS: u16 = 1005;
    pub(super) const VERIFIER_CLAIMS: u16 = 1006;
    pub(super) const DEVELOPER: u16 = 0;
    pub(super) const BUILD: u16 = 1;
}

impl AttestationResult {
    /// The claims set as a JSON object.
    #[must_use]
    pub fn to_json(&self) -> Json {
        let submods: Map<String, Json> = self
            .submods
            .iter()
            .map(|(name, appraisal)| (name.clone(), appraisal_json(appraisal)))
            .collect();
        let mut claims = Map::from_iter([
            ("eat_profile".to_owned(), json!(PROFILE)),
            ("iat".to_owned(), json!(self.issued_at.0)),
            (
                "ear_verifier_id".to_owned(),
                json!({"developer": self.verifier.developer, "build": self.verifier.build}),
            ),
            ("ear_status".to_owned(), json!(self.status.name())),
            ("submods".to_owned(), Json::Object(submods)),
        ]);
        if let Some(nonce) = &self.nonce {
            claims.insert("eat_nonce".to_owned(), json!(base64url(nonce)));
        }
        Json::Object(claims)
    }

    /// The claims set in deterministic CBOR.
    #[must_use]
    pub fn to_cbor(&self) -> Vec<u8> {
        let submods = self
            .submods
            .iter()
            .map(|(name, appraisal)| (name.as_str().into(), appraisal_cbor(appraisal)))
            .collect();
        let verifier = map([
            (key::DEVELOPER, self.verifier.developer.as_str().into()),
            (key::BUILD, self.verifier.build.as_str().into()),
        ]);
        let nonce = self.nonce.clone().map(|nonce| (key::NONCE, nonce.into()));
        let claims = [
            (key::PROFILE, PROFILE.into()),
            (key::IAT, self.issued_at.0.into()),
            (key::VERIFIER_ID, verifier),
            (key::STATUS, self.status.value().into()),
            (key::SUBMODS, Cbor::Map(submods)),
        ];
        cbor::encode(&map(claims.into_iter().chain(nonce)))
    }
}

fn appraisal_json(appraisal: &Appraisal) -> Json {
    let vector: Map<String, Json> = appraisal
        .vector
        .iter()
        .map(|(aspect, value)| (aspect.name().to_owned(), json!(value)))
        .collect();
    let mut claims = Map::from_iter([("ear_status".to_owned(), json!(appraisal.status.name()))]);
    for (name, members) in [
        ("ear_trustworthiness_vector", &vector),
        ("ear_attester_claims", &appraisal.attester_claims),
        ("ear_verifier_claims", &appraisal.verifier_claims),
    ] {
        if !members.is_empty() {
            claims.insert(name.to_owned(), Json::Object(members.clone()));
        }
    }
    if !appraisal.policy_ids.is_empty() {
        let ids = json!(appraisal.policy_ids);
        claims.insert("ear_appraisal_policy_ids".to_owned(), ids);
    }
    Json::Object(claims)
}

fn appraisal_cbor(appraisal: &Appraisal) -> Cbor {
    let mut claims = vec![(key::STATUS, appraisal.status.value().into())];
    if let Some(vector) = vector_cbor(&appraisal.vector) {
        claims.push((key::TRUSTWORTHINESS_VECTOR, vector));
    }
    for (key, members) in [
        (key::ATTESTER_CLAIMS, &appraisal.attester_claims),
        (key::VERIFIER_CLAIMS, &appraisal.verifier_claims),
    ] {
        if !members.is_empty() {
            claims.push((key, object_cbor(members)));
        }
    }
    if !appraisal.policy_ids.is_empty() {
        let ids = appraisal.policy_ids.iter().map(|id| id.as_str().into());
        claims.push((key::APPRAISAL_POLICY_IDS, Cbor::Array(ids.collect())));
    }
    map(claims)
}

/// An empty vector is left out: the draft has none.
fn vector_cbor(vector: &TrustworthinessVector) -> Option<Cbor> {
    let claims: Vec<_> = vector
        .iter()
        .map(|(aspect, value)| ((aspect as u8).into(), value.into()))
        .collect();
    (!claims.is_empty()).then_some(Cbor::Map(claims))
}

fn object_cbor(members: &Map<String, Json>) -> Cbor {
    let entries = members
        .iter()
        .map(|(name, value)| (name.as_str().into(), value_cbor(value)));
    Cbor::Map(entries.collect())
}

/// JSON's values in CBOR; numbers that are no integers as text.
fn value_cbor(value: &Json) -> Cbor {
    match value {
        Json::Null => Cbor::Null,
        Json::Bool(value) => (*value).into(),
        Json::Number(number) => match (number.as_u64(), number.as_i64()) {
            (Some(value), _) => value.into(),
            (None, Some(value)) => value.into(),
            (None, None) => number.to_string().into(),
        },
        Json::String(text) => text.as_str().into(),
        Json::Array(items) => Cbor::Array(items.iter().map(value_cbor).collect()),
        Json::Object(members) => object_cbor(members),
    }
}

fn map(entries: impl IntoIterator<Item = (u16, Cbor)>) -> Cbor {
    let entries = entries.into_iter().map(|(key, value)| (key.into(), value));
    Cbor::Map(entries.collect())
}
