//! Warnings about `[snp]`.

use super::{Finding, finding};
use crate::{
    BitRule,
    snp::{GuestPolicyBit, PRODUCTS, PlatformInfoBit, SnpRules, TcbFloor, name_of},
};
use attestation::snp::{SigningKey, TcbVersion};

pub(super) fn findings(rules: &SnpRules) -> Vec<Finding> {
    let mut findings = Vec::new();
    findings.extend(vmpl(rules));
    findings.extend(vlek(rules));
    findings.extend(zero_floors(rules));
    findings.extend(unlinked_advisories(rules));
    findings.extend(migration(rules));
    findings.extend(alias_check(rules));
    findings
}

fn vmpl(rules: &SnpRules) -> Option<Finding> {
    rules.vmpl.iter().any(|vmpl| *vmpl != 0).then(|| {
        finding(
            "policy.lint.vmpl",
            "snp.vmpl",
            "a level other than 0 is accepted: whatever runs at a lower VMPL can read that guest; accept only 0 unless the \
             measured image has a paravisor",
        )
    })
}

fn vlek(rules: &SnpRules) -> Option<Finding> {
    let accepted = rules.signing_keys.contains(&SigningKey::Vlek);
    accepted.then(|| {
        finding(
            "policy.lint.vlek",
            "snp.signing_keys",
            "vlek is accepted: such evidence names a cloud provider and no chip",
        )
    })
}

fn zero_floors(rules: &SnpRules) -> Vec<Finding> {
    let is_zero = |floor: &&TcbFloor| {
        let fmc = floor.floor.fmc.map(|_| 0);
        floor.floor
            == TcbVersion {
                fmc,
                ..TcbVersion::default()
            }
    };
    let floors = rules.minimum_tcb.iter().filter(is_zero);
    floors
        .map(|floor| {
            finding(
                "policy.lint.zero_tcb",
                format!("snp.minimum_tcb of {}", name_of(&PRODUCTS, &floor.product)),
                "the floor is zero, so that firmware with every published fault is accepted: take the numbers of AMD's \
                 latest bulletin",
            )
        })
        .collect()
}

fn unlinked_advisories(rules: &SnpRules) -> Vec<Finding> {
    let advisories = rules.advisories.iter().flat_map(|list| list.iter());
    let unlinked = advisories.filter(|advisory| advisory.link.is_none());
    unlinked
        .map(|advisory| super::unlinked("snp.advisories", &advisory.name))
        .collect()
}

fn migration(rules: &SnpRules) -> Option<Finding> {
    let mut rules = rules.guest_policy.iter();
    let rule = rules.find(|(bit, _)| *bit == GuestPolicyBit::MigrateMa)?.1;
    (rule != BitRule::Forbid).then(|| {
        finding(
            "policy.lint.migration",
            "snp.guest_policy.migrate_ma",
            "a migration agent may take the guest's memory elsewhere and is not judged by this policy: forbid it",
        )
    })
}

fn alias_check(rules: &SnpRules) -> Option<Finding> {
    let required = &rules.platform_info.required;
    (!required.contains(&PlatformInfoBit::AliasCheckComplete)).then(|| {
        finding(
            "policy.lint.alias_check",
            "snp.platform_info.required",
            "alias_check_complete is not required, so that memory modules that lie about their size (BadRAM) go unnoticed",
        )
    })
}
