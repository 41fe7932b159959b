//! The rules about what else the manifest says: runtime, engine, bill of materials, padding and limits.

use super::{listed, told};
use crate::{AllowList, NamedDigest, Policy, Reason, channel::Padding};
use attestation::{Digest, Manifest};

/// Every unmet rule of `[runtime]`, `[engine]`, `[aibom]`, `[channel]` and `[limits]`.
pub(super) fn reasons(policy: &Policy, manifest: &Manifest) -> Vec<Reason> {
    let mut reasons = Vec::new();
    reasons.extend(runtime(policy, manifest));
    reasons.extend(mode(policy, manifest));
    reasons.extend(kernels(policy, manifest));
    reasons.extend(isa(policy, manifest));
    reasons.extend(aibom_absent(policy, manifest));
    reasons.extend(aibom(policy, manifest));
    reasons.extend(padding(policy, manifest));
    reasons.extend(context_tokens(policy, manifest));
    reasons.extend(request_bytes(policy, manifest));
    reasons
}

fn runtime(policy: &Policy, manifest: &Manifest) -> Option<Reason> {
    let accepted = policy.runtimes()?;
    let digest = &manifest.runtime_digest;
    (!has(accepted, digest)).then(|| {
        let version = told(&manifest.runtime_version);
        Reason::new(
            "policy.runtime",
            "runtime.accepted",
            names(accepted),
            format!("{version} ({})", hex::encode(digest)),
        )
    })
}

fn mode(policy: &Policy, manifest: &Manifest) -> Option<Reason> {
    let accepted = policy.engine()?.modes.as_ref()?;
    text(
        "policy.engine.mode",
        "engine.modes",
        accepted,
        &manifest.engine,
    )
}

fn kernels(policy: &Policy, manifest: &Manifest) -> Option<Reason> {
    let accepted = policy.engine()?.kernels.as_ref()?;
    let digest = &manifest.kernels_digest;
    (!has(accepted, digest)).then(|| {
        Reason::new(
            "policy.engine.kernels",
            "engine.kernels",
            names(accepted),
            hex::encode(digest),
        )
    })
}

fn isa(policy: &Policy, manifest: &Manifest) -> Option<Reason> {
    let accepted = policy.engine()?.isa.as_ref()?;
    text("policy.engine.isa", "engine.isa", accepted, &manifest.isa)
}

fn aibom_absent(policy: &Policy, manifest: &Manifest) -> Option<Reason> {
    let is_absent = manifest.aibom_digest.is_none();
    (policy.aibom()?.required && is_absent)
        .then(|| Reason::new("policy.aibom", "aibom.required", "an AIBOM", "none"))
}

fn aibom(policy: &Policy, manifest: &Manifest) -> Option<Reason> {
    let accepted = policy.aibom()?.accepted.as_ref()?;
    let digest = manifest.aibom_digest.as_ref()?;
    (!has(accepted, digest)).then(|| {
        let actual = hex::encode(digest);
        Reason::new("policy.aibom", "aibom.accepted", names(accepted), actual)
    })
}

/// A profile that this build does not know is no profile.
fn padding(policy: &Policy, manifest: &Manifest) -> Option<Reason> {
    let least = policy.channel()?.minimum_padding?;
    let is_enough = Padding::parse(&manifest.padding).is_some_and(|padding| padding >= least);
    (!is_enough).then(|| {
        Reason::new(
            "policy.channel.padding",
            "channel.minimum_padding",
            format!("{:?} or stricter", least.name()),
            told(&manifest.padding),
        )
    })
}

fn context_tokens(policy: &Policy, manifest: &Manifest) -> Option<Reason> {
    let most = policy.limits()?.maximum_context_tokens?;
    let actual = manifest.max_context_tokens;
    let (code, rule) = (
        "policy.limits.context_tokens",
        "limits.maximum_context_tokens",
    );
    (actual > most).then(|| Reason::new(code, rule, format!("{most} or less"), actual.to_string()))
}

fn request_bytes(policy: &Policy, manifest: &Manifest) -> Option<Reason> {
    let most = policy.limits()?.maximum_request_bytes?;
    let actual = manifest.max_request_bytes;
    let (code, rule) = (
        "policy.limits.request_bytes",
        "limits.maximum_request_bytes",
    );
    (actual > most).then(|| Reason::new(code, rule, format!("{most} or less"), actual.to_string()))
}

/// The reason against a receipt's cache scope.
pub(super) fn cache_scope(policy: &Policy, scope: &str) -> Option<Reason> {
    let accepted = policy.channel()?.cache_scopes.as_ref()?;
    let (code, rule) = ("policy.channel.cache_scope", "channel.cache_scopes");
    text(code, rule, accepted, scope)
}

fn text(
    code: &'static str,
    rule: &'static str,
    accepted: &AllowList<String>,
    actual: &str,
) -> Option<Reason> {
    let is_accepted = accepted.iter().any(|one| one == actual);
    (!is_accepted).then(|| {
        let expected = listed(accepted.iter().map(|one| told(one)));
        Reason::new(code, rule, expected, told(actual))
    })
}

pub(super) fn has(accepted: &AllowList<NamedDigest<32>>, digest: &Digest) -> bool {
    accepted.iter().any(|entry| entry.digest == *digest)
}

pub(super) fn names(accepted: &AllowList<NamedDigest<32>>) -> String {
    listed(accepted.iter().map(|entry| told(&entry.name)))
}
