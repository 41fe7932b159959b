//! A serving receipt for people and programs: its claims as JSON, beside the signed bytes.

use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use protocol::{Receipt, SignedReceipt};
use serde_json::{Value, json};

/// The claims and, as `cose`, the signed bytes (base64url without padding).
#[must_use]
pub fn document(receipt: &Receipt, signed: &SignedReceipt) -> Value {
    json!({
        "request_id": hex::encode(receipt.request_id),
        "node": receipt.node,
        "binding_id": hex::encode(receipt.binding_id.0),
        "manifest_digest": hex::encode(receipt.manifest),
        "epoch": receipt.epoch,
        "policy": {
            "version": receipt.policy_version,
            "digest": hex::encode(receipt.policy_digest),
            "client_digest": hex::encode(receipt.client_policy),
        },
        "model": {
            "name": receipt.model,
            "digest": hex::encode(receipt.model_digest),
            "tokenizer_digest": hex::encode(receipt.tokenizer_digest),
            "template_digest": hex::encode(receipt.template_digest),
            "aibom_digest": receipt.aibom_digest.map(hex::encode),
        },
        "digests": {
            "request": hex::encode(receipt.digests.request),
            "response": hex::encode(receipt.digests.response),
            "tokens": hex::encode(receipt.digests.tokens),
        },
        "status": receipt.status,
        "outcome": receipt.outcome.as_str(),
        "usage": {
            "prompt_tokens": receipt.usage.prompt_tokens,
            "completion_tokens": receipt.usage.completion_tokens,
        },
        "received_at": receipt.received_at.to_rfc3339(),
        "finished_at": receipt.finished_at.to_rfc3339(),
        "sampling": {
            "temperature_milli": receipt.temperature_milli,
            "top_p_milli": receipt.top_p_milli,
            "seed": receipt.seed,
        },
        "engine": {
            "mode": receipt.engine,
            "isa": receipt.isa,
            "kernels_digest": hex::encode(receipt.kernels_digest),
            "gpu": receipt.gpu.map(|gpu| json!({
                "arithmetic": gpu.arithmetic.as_str(),
                "cubins_digest": hex::encode(gpu.cubins_digest),
            })),
        },
        "cache_scope": receipt.cache_scope,
        "tenant": receipt.tenant.map(hex::encode),
        "residency": receipt.residency,
        "padding": receipt.padding.as_str(),
        "cose": URL_SAFE_NO_PAD.encode(signed.as_bytes()),
    })
}
