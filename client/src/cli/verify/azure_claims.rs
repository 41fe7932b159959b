//! The claims of an Azure confidential VM, for people and programs.

use super::{snp_claims, tdx_claims};
use crate::Check;
use attestation::vtpm::{AzureClaims, HardwareClaims, QuoteClaims, STATEMENTS, VmConfiguration};
use serde_json::{Map, Value, json};

/// What is worth knowing and decides nothing here.
pub(super) fn remarks(claims: &AzureClaims) -> Vec<Check> {
    let vm = &claims.vm_configuration;
    let secure_boot = if vm.secure_boot { "on" } else { "off" };
    let mut remarks = vec![
        Check::info(
            "azure.secure_boot",
            "UEFI secure boot, as the paravisor tells it",
        )
        .detail(secure_boot),
        Check::info("azure.pcr_digest", "digest of the quoted PCRs")
            .detail(hex::encode(claims.quote.pcr_digest)),
    ];
    remarks.extend(STATEMENTS.map(|statement| Check::info("azure.statement", statement)));
    remarks
}

/// The claims as JSON; bytes in hexadecimal.
pub(super) fn document(claims: &AzureClaims) -> Value {
    let (kind, hardware) = match &claims.hardware {
        HardwareClaims::Snp(snp) => ("snp", snp_claims::document(snp)),
        HardwareClaims::Tdx(tdx) => ("tdx", tdx_claims::document(tdx)),
        _ => ("unknown", Value::Null),
    };
    json!({
        kind: hardware,
        "hcl_version": claims.hcl_version,
        "vm_configuration": configuration(&claims.vm_configuration),
        "user_data": claims.user_data.map(hex::encode),
        "attestation_key_sha256": hex::encode(claims.attestation_key_sha256),
        "quote": quote(&claims.quote),
        "nonce": claims.nonce.as_ref().map(hex::encode),
        "statements": STATEMENTS,
        "not_after": claims.not_after.to_rfc3339(),
    })
}

fn configuration(vm: &VmConfiguration) -> Value {
    json!({
        "secure_boot": vm.secure_boot,
        "tpm_enabled": vm.tpm_enabled,
        "tpm_persisted": vm.tpm_persisted,
        "console_enabled": vm.console_enabled,
        "current_time": vm.current_time,
        "root_cert_thumbprint": vm.root_cert_thumbprint,
        "vm_unique_id": vm.vm_unique_id,
    })
}

fn quote(quote: &QuoteClaims) -> Value {
    let pcrs = quote.pcrs.as_ref().map(|pcrs| {
        let pcrs = pcrs
            .iter()
            .map(|pcr| (pcr.index.to_string(), json!(hex::encode(pcr.value))));
        Value::Object(Map::from_iter(pcrs))
    });
    json!({
        "extra_data": hex::encode(&quote.extra_data),
        "qualified_signer": hex::encode(quote.qualified_signer),
        "clock_ms": quote.clock_ms,
        "reset_count": quote.reset_count,
        "restart_count": quote.restart_count,
        "safe": quote.safe,
        "firmware_version": format!("{:#x}", quote.firmware_version),
        "selection": quote.selection,
        "pcr_digest": hex::encode(quote.pcr_digest),
        "pcrs": pcrs,
    })
}
