//! The rules about the model that the manifest names.

use super::{Ends, Subject, listed, told};
use crate::{AcceptedModel, AllowList, Policy, Reason};
use attestation::{Digest, Manifest, UnixTime};

/// Every unmet rule of `[[models.accepted]]`.
pub(super) fn reasons(policy: &Policy, manifest: &Manifest, now: UnixTime) -> Vec<Reason> {
    let Some(accepted) = policy.models() else {
        return Vec::new();
    };
    let Some(model) = accepted.offered(manifest) else {
        return vec![unknown(accepted, manifest)];
    };
    let mut reasons = Vec::new();
    reasons.extend(approved(model, now));
    reasons.extend(window(model, now));
    reasons.extend(retired(model, now));
    let tokenizer = (&model.tokenizer, &manifest.tokenizer_digest);
    reasons.extend(part(
        model,
        "policy.model.tokenizer",
        "tokenizer",
        tokenizer,
    ));
    let template = (&model.template, &manifest.template_digest);
    reasons.extend(part(model, "policy.model.template", "template", template));
    reasons
}

/// The model's own end.
pub(super) fn ends(policy: &Policy, subject: &Subject<'_>, ends: &mut Ends) {
    let accepted = policy.models();
    let model = accepted.and_then(|accepted| accepted.offered(&subject.claims.manifest));
    if let Some(model) = model {
        ends.rule(model.validity.until);
        ends.rule(model.last_before_retirement());
    }
}

fn unknown(accepted: &AllowList<AcceptedModel>, manifest: &Manifest) -> Reason {
    let (name, digest) = (told(&manifest.model), hex::encode(manifest.model_digest));
    Reason::new(
        "policy.model",
        "models.accepted",
        listed(accepted.iter().map(|model| told(&model.name))),
        format!("{name} ({digest})"),
    )
}

fn approved(model: &AcceptedModel, now: UnixTime) -> Option<Reason> {
    let approved = model.approved.filter(|approved| now < *approved)?;
    Some(Reason::new(
        "policy.model.window",
        rule(model, "approved"),
        format!("{} or later", approved.to_rfc3339()),
        now.to_rfc3339(),
    ))
}

fn window(model: &AcceptedModel, now: UnixTime) -> Option<Reason> {
    let is_early = model.validity.from.is_some_and(|from| now < from);
    (!model.validity.holds(now)).then(|| {
        Reason::new(
            "policy.model.window",
            rule(model, if is_early { "from" } else { "until" }),
            model.validity.to_string(),
            now.to_rfc3339(),
        )
    })
}

fn retired(model: &AcceptedModel, now: UnixTime) -> Option<Reason> {
    let retired = model.retired.filter(|_| model.is_retired(now))?;
    Some(Reason::new(
        "policy.model.retired",
        rule(model, "retired"),
        format!("before {}", retired.to_rfc3339()),
        now.to_rfc3339(),
    ))
}

fn part(
    model: &AcceptedModel,
    code: &'static str,
    field: &str,
    (accepted, actual): (&Option<Digest>, &Digest),
) -> Option<Reason> {
    let accepted = accepted.as_ref().filter(|accepted| *accepted != actual)?;
    let (accepted, actual) = (hex::encode(accepted), hex::encode(actual));
    Some(Reason::new(code, rule(model, field), accepted, actual))
}

fn rule(model: &AcceptedModel, field: &str) -> String {
    format!("models.accepted.{field} of {}", model.name)
}
