//! Whether a signed receipt is about the attested node: what the opener checks for a client, again and one by one for an auditor.

use crate::{Check, Outcome};
use attestation::NodeClaims;
use protocol::{KeyConfigs, Receipt};

const SECTION: &str = "docs/protocol.md section 7";

/// Checks of a receipt whose signature by the attested identity is right.
pub(crate) fn checks(
    receipt: &Receipt,
    claims: &NodeClaims,
    keys: Option<&KeyConfigs>,
) -> Vec<Check> {
    let manifest = &claims.manifest;
    let model = receipt.model == manifest.model
        && receipt.model_digest == manifest.model_digest
        && receipt.aibom_digest == manifest.aibom_digest;
    let engine = receipt.engine == manifest.engine
        && receipt.isa == manifest.isa
        && receipt.kernels_digest == manifest.kernels_digest;
    let mut checks = vec![
        Check::pass(
            "receipt.signature",
            "the attested identity signed the receipt",
        )
        .section(SECTION)
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
        ),
        check("receipt.model", "the attested model answered", model).detail(format!(
            "{}, {} tokens in, {} out",
            receipt.model, receipt.usage.prompt_tokens, receipt.usage.completion_tokens
        )),
        check("receipt.engine", "the attested engine computed it", engine)
            .detail(format!("{}, {}", receipt.engine, receipt.isa)),
    ];
    checks.extend(keys.map(|keys| keys_check(receipt, keys)));
    checks
}

fn keys_check(receipt: &Receipt, keys: &KeyConfigs) -> Check {
    let same = receipt.node == keys.node
        && receipt.epoch == keys.epoch
        && receipt.policy_version == keys.policy_version
        && receipt.policy_digest == keys.policy_digest;
    check(
        "receipt.keys",
        "it names the node's key epoch and policy",
        same,
    )
    .detail(format!(
        "node {}, epoch {}, policy version {}",
        receipt.node, receipt.epoch, receipt.policy_version
    ))
}

fn check(id: &'static str, title: &'static str, holds: bool) -> Check {
    let outcome = if holds { Outcome::Pass } else { Outcome::Fail };
    Check::new(outcome, id, title).section(SECTION)
}
