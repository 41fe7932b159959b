//! Whether a signed receipt is about the attested node: what the opener checks for a client, again and one by one for an auditor.

use crate::{Check, Outcome};
use attestation::{Manifest, NodeClaims, UnixTime};
use policy::{Placement, Policy};
use protocol::{KeyConfigs, Receipt};

const SECTION: &str = "docs/protocol.md section 7";
/// An epoch opens envelopes for this long after its list has expired (docs/protocol.md section 9).
pub(crate) const GRACE_SECONDS: u64 = 60;

/// Checks of a receipt whose signature by the attested identity is right, of an exchange that was over at `now`.
pub(crate) fn checks(
    receipt: &Receipt,
    claims: &NodeClaims,
    keys: Option<&KeyConfigs>,
    now: UnixTime,
) -> Vec<Check> {
    let mut checks = vec![
        passed(
            "receipt.signature",
            "the attested identity signed the receipt",
        )
        .detail(format!("request {}", hex::encode(receipt.request_id))),
        check(
            "receipt.binding",
            "it names this attestation",
            receipt.binding_id == claims.binding_id,
        )
        .detail(hex::encode(receipt.binding_id.0)),
        check(
            "receipt.manifest",
            "it names the attested manifest",
            receipt.manifest == claims.manifest_digest,
        )
        .detail(hex::encode(receipt.manifest)),
    ];
    checks.extend(model_checks(receipt, &claims.manifest));
    checks.extend(engine_checks(receipt, &claims.manifest));
    checks.extend(keys_checks(receipt, keys));
    checks.push(outcome_check(receipt));
    checks.push(times_check(receipt, now));
    checks
}

fn model_checks(receipt: &Receipt, manifest: &Manifest) -> [Check; 3] {
    let model = receipt.model == manifest.model
        && receipt.model_digest == manifest.model_digest
        && receipt.aibom_digest == manifest.aibom_digest;
    let tokenizer = receipt.tokenizer_digest == manifest.tokenizer_digest;
    let template = receipt.template_digest == manifest.template_digest;
    [
        check("receipt.model", "the attested model answered", model).detail(format!(
            "{}, {} tokens in, {} out",
            receipt.model, receipt.usage.prompt_tokens, receipt.usage.completion_tokens
        )),
        check(
            "receipt.tokenizer",
            "the attested tokenizer cut the text",
            tokenizer,
        )
        .detail(hex::encode(receipt.tokenizer_digest)),
        check(
            "receipt.template",
            "the attested template laid out the prompt",
            template,
        )
        .detail(hex::encode(receipt.template_digest)),
    ]
}

fn engine_checks(receipt: &Receipt, manifest: &Manifest) -> [Check; 5] {
    let kernels = receipt.kernels_digest == manifest.kernels_digest;
    [
        gpu_check(receipt, manifest),
        check("receipt.kernels", "the attested kernels computed", kernels)
            .detail(hex::encode(receipt.kernels_digest)),
        check(
            "receipt.engine",
            "the engine ran in the attested mode",
            receipt.engine == manifest.engine,
        )
        .detail(&receipt.engine),
        check(
            "receipt.isa",
            "it ran the attested instructions",
            receipt.isa == manifest.isa,
        )
        .detail(&receipt.isa),
        check(
            "receipt.padding",
            "it was padded by the attested profile",
            receipt.padding.as_str() == manifest.padding,
        )
        .detail(receipt.padding.as_str()),
    ]
}

/// What computed on GPUs, or that nothing did.
fn gpu_check(receipt: &Receipt, manifest: &Manifest) -> Check {
    let attested = manifest.gpu.as_ref().map(|gpu| gpu.kernels);
    let told = receipt.gpu.map_or_else(
        || "none".to_owned(),
        |gpu| {
            format!(
                "{}, {}",
                gpu.arithmetic.as_str(),
                hex::encode(gpu.cubins_digest)
            )
        },
    );
    let title = "the attested code computed on the GPUs";
    check("receipt.gpu", title, receipt.gpu == attested).detail(told)
}

/// Without a list they looked at nothing.
fn keys_checks(receipt: &Receipt, keys: Option<&KeyConfigs>) -> [Check; 3] {
    let against = |holds: fn(&Receipt, &KeyConfigs) -> bool, id, title| match keys {
        Some(keys) => check(id, title, holds(receipt, keys)),
        None => skipped(id, title),
    };
    let epoch = |receipt: &Receipt, keys: &KeyConfigs| {
        receipt.node == keys.node && receipt.epoch == keys.epoch
    };
    let policy = |receipt: &Receipt, keys: &KeyConfigs| {
        receipt.policy_version == keys.policy_version && receipt.policy_digest == keys.policy_digest
    };
    let window = |receipt: &Receipt, keys: &KeyConfigs| {
        let received = receipt.received_at;
        received >= keys.not_before && received < keys.expires.plus(GRACE_SECONDS)
    };
    [
        against(
            epoch,
            "receipt.epoch",
            "it names the node and its key epoch",
        )
        .detail(format!("node {}, epoch {}", receipt.node, receipt.epoch)),
        against(
            policy,
            "receipt.policy",
            "the node obeyed the policy of its key list",
        )
        .detail(format!("version {}", receipt.policy_version)),
        against(
            window,
            "receipt.window",
            "the request came while the key list was valid",
        )
        .detail(receipt.received_at.to_rfc3339()),
    ]
}

fn outcome_check(receipt: &Receipt) -> Check {
    let complete = receipt.outcome == protocol::Outcome::Complete;
    check("receipt.outcome", "the answer is complete", complete).detail(receipt.outcome.as_str())
}

fn times_check(receipt: &Receipt, now: UnixTime) -> Check {
    let (received, finished) = (receipt.received_at, receipt.finished_at);
    let title = "it begins before it ends, and not in the future";
    check(
        "receipt.times",
        title,
        received <= finished && finished <= now,
    )
    .detail(format!(
        "{} to {}",
        received.to_rfc3339(),
        finished.to_rfc3339()
    ))
}

/// Whether the client judged by `policy`.
pub(crate) fn client_policy_check(receipt: &Receipt, policy: Option<&Policy>) -> Check {
    let (id, title) = ("receipt.client_policy", "the client judged by this policy");
    match policy {
        Some(policy) => check(id, title, receipt.client_policy == *policy.digest()),
        None => skipped(id, title),
    }
    .detail(hex::encode(receipt.client_policy))
}

/// Whether `policy` accepts with whom the node shared cached state.
pub(crate) fn cache_scope_check(receipt: &Receipt, policy: Option<&Policy>) -> Check {
    let (id, title) = (
        "receipt.cache_scope",
        "cached state was shared as the policy accepts",
    );
    let Some(policy) = policy else {
        return Check::info(id, "with whom the node shared cached state")
            .section(SECTION)
            .detail(&receipt.cache_scope);
    };
    match policy.judge_cache_scope(&receipt.cache_scope) {
        None => check(id, title, true).detail(&receipt.cache_scope),
        Some(unmet) => {
            check(id, title, false).detail(format!("{}, not {}", unmet.actual, unmet.expected))
        }
    }
}

/// Whether the node was in `country`, and where the inventory places it; told where none is demanded.
pub(crate) fn residency_check(
    receipt: &Receipt,
    country: Option<&str>,
    placement: Option<&Placement>,
) -> Check {
    let id = "receipt.residency";
    let named = receipt.residency.as_deref();
    let placed = placement.map(|placement| placement.country.as_str());
    let differ = named.is_some() && placed.is_some() && named != placed;
    match country {
        Some(country) => {
            let holds = named == Some(country) && placed.is_none_or(|placed| placed == country);
            check(id, "the node was in the country demanded", holds)
        }
        None if differ => check(id, "the node is where the inventory places it", false),
        None => Check::info(id, "the country that the node names").section(SECTION),
    }
    .detail(whose_word(named, placement))
}

/// A country, and who says so.
fn whose_word(named: Option<&str>, placement: Option<&Placement>) -> String {
    let placed = |placement: &Placement| {
        format!(
            "the inventory places it in {}, site {}",
            placement.country, placement.site
        )
    };
    match (named, placement) {
        (None, None) => "none".to_owned(),
        (None, Some(placement)) => format!("none; {}", placed(placement)),
        (Some(named), None) => format!("{named}, by the node's word alone"),
        (Some(named), Some(placement)) => {
            format!("{named}, by the node's word; {}", placed(placement))
        }
    }
}

fn passed(id: &'static str, title: &'static str) -> Check {
    check(id, title, true)
}

fn skipped(id: &'static str, title: &'static str) -> Check {
    Check::new(Outcome::Skip, id, title).section(SECTION)
}

fn check(id: &'static str, title: &'static str, holds: bool) -> Check {
    let outcome = if holds { Outcome::Pass } else { Outcome::Fail };
    Check::new(outcome, id, title).section(SECTION)
}
