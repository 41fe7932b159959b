//! A report as an EAT Attestation Result.

use super::{
    super::{Context, Exit, Failure, config, inputs, report::Report, signing_key},
    EarFormat,
};
use crate::{Check, Outcome};
use attestation::ear::{
    Algorithm, Appraisal, AttestationResult, Finding, FindingOutcome, Signer, Verdict, VerifierId,
    appraise,
};
use provision::{SigningKey, SigningKeyError};
use serde_json::{Value, json};
use std::path::Path;

/// A relying party's nonce.
#[derive(Clone)]
pub(super) struct Nonce(Vec<u8>);

pub(super) fn parse_nonce(text: &str) -> Result<Nonce, String> {
    let bytes = hex::decode(text).map_err(|_| "not hexadecimal".to_owned())?;
    if (8..=64).contains(&bytes.len()) {
        Ok(Nonce(bytes))
    } else {
        Err("not 8 to 64 bytes".to_owned())
    }
}

pub(super) fn no_key() -> Failure {
    Failure::usage(
        "ear.key",
        "an attestation result is signed, and no key is given",
    )
    .advice("give --ear-key FILE; `narthex policy keygen` makes one")
}

/// What `report` tells, with the claims and the digests of the inputs in its first part.
pub(super) fn result(
    report: &Report,
    nonce: Option<&Nonce>,
    context: &Context<'_>,
) -> AttestationResult {
    let findings: Vec<Finding<'_>> = report.checks.iter().map(finding).collect();
    let (status, mut submods) = appraise(&findings, verdict(report.exit));
    if let Some(first) = submods.values_mut().next() {
        add_claims(first, report, context);
    }
    AttestationResult {
        issued_at: context.composition.clock.now(),
        verifier: VerifierId {
            developer: "Narthex".to_owned(),
            build: concat!("narthex ", env!("CARGO_PKG_VERSION")).to_owned(),
        },
        nonce: nonce.map(|nonce| nonce.0.clone()),
        status,
        submods,
    }
}

fn add_claims(appraisal: &mut Appraisal, report: &Report, context: &Context<'_>) {
    if let Value::Object(claims) = &report.claims {
        appraisal.attester_claims = claims.clone();
    }
    let policies = config::policy_files(&context.global);
    let mut digests = Vec::new();
    for input in inputs::so_far() {
        let digest = format!("sha256:{}", hex::encode(input.sha256));
        if policies.contains(&input.path) {
            appraisal.policy_ids.push(digest);
        } else {
            digests.push(digest);
        }
    }
    let claims = &mut appraisal.verifier_claims;
    claims.insert("inputs".to_owned(), json!(digests));
    claims.insert("verdict".to_owned(), json!(report.exit.verdict()));
}

fn finding(check: &Check) -> Finding<'_> {
    Finding {
        code: &check.id,
        outcome: match check.outcome {
            Outcome::Pass => FindingOutcome::Held,
            Outcome::Fail => FindingOutcome::Failed,
            Outcome::Skip | Outcome::Info => FindingOutcome::NotTried,
        },
    }
}

const fn verdict(exit: Exit) -> Verdict {
    match exit {
        Exit::Accepted => Verdict::Accepted,
        Exit::Incomplete => Verdict::Incomplete,
        Exit::Malformed => Verdict::Malformed,
        Exit::Rejected | Exit::Usage | Exit::Internal => Verdict::Rejected,
    }
}

/// `result` in `format`, signed with the key in the file `key`.
pub(super) fn token(
    result: &AttestationResult,
    key: &Path,
    format: EarFormat,
) -> Result<Vec<u8>, Failure> {
    let key = SigningKey::read(key).map_err(|error| signing_key::failure(&error))?;
    let signer = Verifier(key);
    let token = match format {
        EarFormat::Jwt => result.to_jwt(&signer).map(String::into_bytes),
        EarFormat::Cwt => result.to_cwt(&signer),
    };
    token.map_err(|error| signing_key::failure(&error))
}

/// The verifier's key.
struct Verifier(SigningKey);

impl Signer for Verifier {
    type Error = SigningKeyError;

    fn algorithm(&self) -> Algorithm {
        Algorithm::EdDsa
    }

    fn key_id(&self) -> String {
        policy::signature::keyid(&self.0.public_key())
    }

    fn sign(&self, message: &[u8]) -> Result<[u8; 64], SigningKeyError> {
        self.0.sign_message(message)
    }
}
