//! The rules about what the manifest says the node serves and runs.

use super::{Subject, listed, told};
use crate::{AllowList, NamedDigest, Policy, Reason};

/// Name and digest must be those of one entry: a small model under a great name is refused.
pub(super) fn model(policy: &Policy, subject: &Subject<'_>) -> Option<Reason> {
    let accepted = policy.models()?;
    let manifest = &subject.claims.manifest;
    let is_offered = |model: &NamedDigest<32>| {
        model.name == manifest.model && model.digest == manifest.model_digest
    };
    (!accepted.iter().any(is_offered)).then(|| {
        let (name, digest) = (told(&manifest.model), hex::encode(manifest.model_digest));
        Reason::new(
            "policy.model",
            "models.accepted",
            names(accepted),
            format!("{name} ({digest})"),
        )
    })
}

pub(super) fn runtime(policy: &Policy, subject: &Subject<'_>) -> Option<Reason> {
    let accepted = policy.runtimes()?;
    let manifest = &subject.claims.manifest;
    let is_offered = |runtime: &NamedDigest<32>| runtime.digest == manifest.runtime_digest;
    (!accepted.iter().any(is_offered)).then(|| {
        let version = told(&manifest.runtime_version);
        let digest = hex::encode(manifest.runtime_digest);
        Reason::new(
            "policy.runtime",
            "runtime.accepted",
            names(accepted),
            format!("{version} ({digest})"),
        )
    })
}

fn names(accepted: &AllowList<NamedDigest<32>>) -> String {
    listed(accepted.iter().map(|entry| told(&entry.name)))
}
