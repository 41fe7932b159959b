//! Case files: a node's evidence or claims, the documents that judge it, and the verdict that is expected.

pub(super) mod claims;
mod gpu;
mod gpu_code;
mod hex_bytes;
mod snp;
mod tdx;

use super::super::{Context, Exit, Failure, config, files, verify};
use attestation::{NodeClaims, UnixTime};
use claims::ClaimsForm;
use policy::{
    Inventory, Order, Policy, PolicyError, Reason, Timestamp, Trial, document::MAX_DOCUMENT_BYTES,
    trial::Beside,
};
use serde::Deserialize;
use std::path::{Path, PathBuf};

/// A case as it stands in its file.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Case {
    /// What it shows, for people.
    pub(super) name: String,
    /// When the node is judged.
    #[serde(deserialize_with = "claims::time")]
    at: UnixTime,
    /// The policy (TOML or envelope); paths are relative to the case.
    pub(super) policy: PathBuf,
    inventory: Option<PathBuf>,
    /// Orders from the first on, each as TOML or as an envelope.
    #[serde(default)]
    orders: Vec<PathBuf>,
    timestamp: Option<PathBuf>,
    pub(super) expect: Verdict,
    /// The codes of all reasons, for a denial.
    #[serde(default)]
    pub(super) codes: Vec<String>,
    /// The node's name, which orders may stop.
    node: Option<String>,
    /// An archived bundle, or else `claims`.
    evidence: Option<PathBuf>,
    /// Collateral for the bundle.
    collateral: Option<PathBuf>,
    claims: Option<ClaimsForm>,
}

/// What a case expects.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(super) enum Verdict {
    Admit,
    Deny,
}

/// What the documents say of a case.
pub(super) struct Judged {
    /// Every reason; none: the node would be admitted.
    pub(super) reasons: Vec<Reason>,
    /// The step at which evidence was refused, before any policy judged it.
    pub(super) evidence: Option<(&'static str, String)>,
}

impl Case {
    /// Reads a case file: TOML, or JSON.
    pub(super) fn read(path: &Path) -> Result<Self, Failure> {
        let bytes = files::read(path, MAX_DOCUMENT_BYTES)?;
        let text = String::from_utf8(bytes).map_err(|_| malformed(path, "not UTF-8 text"))?;
        let read: Result<Self, String> = if text.trim_start().starts_with('{') {
            serde_json::from_str(&text).map_err(|error| error.to_string())
        } else {
            toml::from_str(&text).map_err(|error: toml::de::Error| error.to_string())
        };
        let case = read.map_err(|error| malformed(path, error.trim_end()))?;
        case.check(path)?;
        Ok(case)
    }

    fn check(&self, path: &Path) -> Result<(), Failure> {
        if self.evidence.is_some() == self.claims.is_some() {
            return Err(malformed(path, "a case has either `evidence` or `claims`"));
        }
        let is_denial = self.expect == Verdict::Deny;
        if is_denial == self.codes.is_empty() {
            let message = "`codes` stand with `expect = \"deny\"`, all of them, and only there";
            return Err(malformed(path, message));
        }
        Ok(())
    }

    /// Judges the case; `folder` is where it stands.
    pub(super) fn judge(&self, folder: &Path, context: &Context<'_>) -> Result<Judged, Failure> {
        let trial = self.trial(folder, context)?;
        let (claims, at) = match (&self.claims, &self.evidence) {
            (Some(form), _) => (form.claims(self.at)?, form.verified_at(self.at)),
            (None, Some(evidence)) => match self.verify(&folder.join(evidence), folder, context)? {
                Ok(claims) => (claims, self.at),
                Err(refused) => return Ok(refused),
            },
            (None, None) => return Err(malformed(folder, "no claims")),
        };
        let mut reasons = trial.judge(&claims, at, self.at);
        reasons.extend(self.node.as_ref().and_then(|node| trial.judge_name(node)));
        Ok(Judged {
            reasons,
            evidence: None,
        })
    }

    fn verify(
        &self,
        bundle: &Path,
        folder: &Path,
        context: &Context<'_>,
    ) -> Result<Result<NodeClaims, Judged>, Failure> {
        let bundle = verify::read_bundle(bundle)?;
        let collateral = self.collateral.as_ref().map(|path| folder.join(path));
        let verifier = config::verifier(context, collateral.as_deref())?;
        Ok(match verifier.verify(&bundle, None, self.at) {
            Ok(verified) => Ok(verified.claims().clone()),
            Err(error) => Err(Judged {
                reasons: Vec::new(),
                evidence: Some((error.code(), error.to_string())),
            }),
        })
    }

    fn trial(&self, folder: &Path, context: &Context<'_>) -> Result<Trial, Failure> {
        let inventory = self.inventory.as_ref();
        let timestamp = self.timestamp.as_ref();
        let orders = self.orders.iter();
        let beside = Beside {
            inventory: inventory
                .map(|path| document(&folder.join(path), Inventory::from_toml))
                .transpose()?,
            orders: orders
                .map(|path| document(&folder.join(path), Order::from_toml))
                .collect::<Result<_, _>>()?,
            timestamp: timestamp
                .map(|path| document(&folder.join(path), Timestamp::from_toml))
                .transpose()?,
        };
        let policy = document(&folder.join(&self.policy), Policy::from_toml)?;
        Trial::new((context.composition.policy)(policy), beside)
            .map_err(|error| config::policy_failure(&[error]))
    }
}

/// A document of the kind that `read` reads, in an envelope or by itself.
pub(super) fn document<T>(
    path: &Path,
    read: impl FnOnce(&[u8]) -> Result<T, Vec<PolicyError>>,
) -> Result<T, Failure> {
    let document = super::document::Document::read(path, None)?;
    read(document.toml()).map_err(|errors| config::policy_failure(&errors).within(&path.display()))
}

fn malformed(path: &Path, message: &str) -> Failure {
    let message = format!("{}: {message}", path.display());
    Failure::new(Exit::Malformed, "policy.case", message)
        .advice("docs/policies/cases has cases to begin with; docs/cli.md describes the form")
}
