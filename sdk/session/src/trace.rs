//! The steps that an admitted node's evidence has passed, for display.

use attestation::{CpuClaims, NodeClaims, Step, nvidia, snp, tdx};
use serde_json::{Value, json};

/// Each step with what it found. Steps that had nothing to look at are left out.
pub(crate) fn checks(claims: &NodeClaims) -> Vec<Value> {
    let mut told = Vec::new();
    match &claims.cpu {
        CpuClaims::Snp(snp) => {
            let without_crl = snp.crl_next_update.is_none();
            let steps = snp::STEPS.iter();
            let looked = steps.filter(|step| !(without_crl && step.id.starts_with("snp.crl.")));
            told.extend(looked.map(|step| check(step, &snp.detail(step))));
        }
        CpuClaims::Tdx(tdx) => {
            let without_log = tdx.events.is_none();
            let steps = tdx::STEPS.iter();
            let looked =
                steps.filter(|step| !(without_log && tdx::EVENT_LOG_STEPS.contains(&step.id)));
            told.extend(looked.map(|step| check(step, &tdx.detail(step))));
        }
        _ => {}
    }
    told.extend(NODE.map(|(id, title)| json!({"id": id, "title": title, "detail": ""})));
    if let Some(machine) = &claims.devices {
        let skipped = machine.skipped();
        let steps = nvidia::MACHINE_STEPS.iter();
        let looked = steps.filter(|step| !skipped.contains(&step.id));
        told.extend(looked.map(|step| check(step, "")));
    }
    told
}

/// The steps between the CPU's evidence and the devices'.
const NODE: [(&str, &str); 3] = [
    ("manifest", "the manifest is well-formed"),
    (
        "binding.report_data",
        "the CPU signed for this identity key, manifest and freshness",
    ),
    ("freshness.nonce", "the evidence answers our nonce"),
];

fn check(step: &Step, detail: &str) -> Value {
    json!({"id": step.id, "title": step.title, "detail": detail})
}
