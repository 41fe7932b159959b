//! The claims of an SNP report, for people and programs, and what is said of them without a policy.

use crate::Check;
use attestation::snp::{SigningKey, SnpClaims, TcbVersion};
use serde_json::{Value, json};

/// MIGRATE_MA of the guest policy (AMD 56860 table 10): a migration agent may be associated with the guest.
const MIGRATE_MA: u64 = 1 << 18;
const POLICY_SECTION: &str = "AMD 56860 table 10";

/// What no guest should be, policy or not.
pub(super) fn minimum(claims: &SnpClaims) -> Vec<Check> {
    let debug = if claims.debug {
        Check::fail("snp.debug", "the guest can be debugged by its host")
    } else {
        Check::pass("snp.debug", "the guest cannot be debugged")
    };
    let migratable = if claims.guest_policy & MIGRATE_MA == 0 {
        Check::pass("snp.migratable", "the guest cannot be migrated")
    } else {
        Check::fail("snp.migratable", "a migration agent may take the guest")
    };
    [debug, migratable]
        .into_iter()
        .map(|check| {
            check
                .section(POLICY_SECTION)
                .detail(format!("guest policy {:#x}", claims.guest_policy))
        })
        .collect()
}

/// What is worth knowing and decides nothing here.
pub(super) fn remarks(claims: &SnpClaims) -> Vec<Check> {
    let mut remarks = vec![
        Check::info("snp.measurement", "launch measurement")
            .detail(hex::encode(claims.measurement)),
        Check::info("snp.tcb", "firmware floors are for a policy to judge")
            .detail(format!("reported: {}", claims.reported_tcb)),
    ];
    if claims.signing_key == SigningKey::Vlek {
        remarks.push(
            Check::info("snp.vlek", "signed by a VLEK")
                .detail("it names a cloud provider and no chip"),
        );
    }
    if claims.chip_id.is_none() {
        remarks.push(
            Check::info("snp.chip_id", "CHIP_ID is masked")
                .detail("no inventory can name the machine"),
        );
    }
    if claims.vmpl != 0 {
        remarks.push(
            Check::info("snp.vmpl", "the report is not VMPL 0's").detail(format!(
                "VMPL {}: whatever runs at a lower one can read it",
                claims.vmpl
            )),
        );
    }
    remarks
}

/// The claims as JSON; bytes in hexadecimal.
pub(super) fn document(claims: &SnpClaims) -> Value {
    json!({
        "version": claims.version,
        "product": claims.product.to_string(),
        "guest_policy": format!("{:#x}", claims.guest_policy),
        "debug": claims.debug,
        "vmpl": claims.vmpl,
        "platform_info": format!("{:#x}", claims.platform_info),
        "signing_key": claims.signing_key.to_string(),
        "measurement": hex::encode(claims.measurement),
        "host_data": hex::encode(claims.host_data),
        "report_data": hex::encode(claims.report_data),
        "id_key_digest": hex::encode(claims.id_key_digest),
        "author_key_digest": hex::encode(claims.author_key_digest),
        "family_id": hex::encode(claims.family_id),
        "image_id": hex::encode(claims.image_id),
        "guest_svn": claims.guest_svn,
        "chip_id": claims.chip_id.map(hex::encode),
        "reported_tcb": tcb(&claims.reported_tcb),
        "current_tcb": tcb(&claims.current_tcb),
        "committed_tcb": tcb(&claims.committed_tcb),
        "launch_tcb": tcb(&claims.launch_tcb),
        "launch_mit_vector": claims.launch_mit_vector,
        "current_mit_vector": claims.current_mit_vector,
        "not_after": claims.not_after.to_rfc3339(),
    })
}

fn tcb(tcb: &TcbVersion) -> Value {
    json!({
        "fmc": tcb.fmc,
        "bootloader": tcb.bootloader,
        "tee": tcb.tee,
        "snp": tcb.snp,
        "microcode": tcb.microcode,
    })
}
