//! The rules about SEV-SNP claims, one function each.

mod accepted;
mod mitigations;
mod tcb;

use super::{Ends, listed, told};
use crate::{
    Reason,
    bit_rule::BIT_RULES,
    snp::{
        PRODUCTS, RevocationRule, SIGNING_KEYS, SnpRules,
        guest_policy::{DEBUG, RESERVED_ONE, RESERVED_ZERO},
        name_of,
    },
};
use accepted::Lists;
use attestation::{
    UnixTime,
    snp::{SigningKey, SnpClaims},
};

/// Every unmet rule of `[snp]`, in the document's order.
pub(super) fn reasons(rules: &SnpRules, claims: &SnpClaims, now: UnixTime) -> Vec<Reason> {
    let mut reasons = Vec::new();
    reasons.extend(product(rules, claims));
    reasons.extend(report_version(rules, claims));
    reasons.extend(vmpl(rules, claims));
    reasons.extend(signing_key(rules, claims));
    reasons.extend(revocation(rules, claims));
    reasons.extend(csp_id(rules, claims));
    reasons.extend(Lists::of(rules).reasons(claims, now));
    reasons.extend(guest_svn(rules, claims));
    reasons.extend(tcb::floors(rules, claims));
    reasons.extend(tcb::advisories(rules, claims, now));
    reasons.extend(debug(claims));
    reasons.extend(reserved(claims));
    reasons.extend(guest_policy(rules, claims));
    reasons.extend(platform_info(rules, claims));
    reasons.extend(mitigations::reasons(&rules.required_mitigations, claims));
    reasons
}

/// Until when the claims meet what they meet now.
pub(super) fn ends(rules: &SnpRules, claims: &SnpClaims, ends: &mut Ends) {
    Lists::of(rules).ends(claims, ends);
    tcb::ends(rules, claims, ends);
}

fn product(rules: &SnpRules, claims: &SnpClaims) -> Option<Reason> {
    let name = |product| name_of(&PRODUCTS, product).to_owned();
    (!rules.products.contains(&claims.product)).then(|| Reason {
        at: None,
        advisory: None,
        code: "policy.snp.product",
        rule: "snp.products".to_owned(),
        expected: listed(rules.products.iter().map(name)),
        actual: name(&claims.product),
    })
}

fn report_version(rules: &SnpRules, claims: &SnpClaims) -> Option<Reason> {
    (claims.version < rules.minimum_report_version).then(|| Reason {
        at: None,
        advisory: None,
        code: "policy.snp.report_version",
        rule: "snp.minimum_report_version".to_owned(),
        expected: format!("{} or more", rules.minimum_report_version),
        actual: claims.version.to_string(),
    })
}

fn vmpl(rules: &SnpRules, claims: &SnpClaims) -> Option<Reason> {
    (!rules.vmpl.contains(&claims.vmpl)).then(|| Reason {
        at: None,
        advisory: None,
        code: "policy.snp.vmpl",
        rule: "snp.vmpl".to_owned(),
        expected: listed(rules.vmpl.iter().map(u32::to_string)),
        actual: claims.vmpl.to_string(),
    })
}

fn signing_key(rules: &SnpRules, claims: &SnpClaims) -> Option<Reason> {
    let name = |key| name_of(&SIGNING_KEYS, key).to_owned();
    (!rules.signing_keys.contains(&claims.signing_key)).then(|| Reason {
        at: None,
        advisory: None,
        code: "policy.snp.signing_key",
        rule: "snp.signing_keys".to_owned(),
        expected: listed(rules.signing_keys.iter().map(name)),
        actual: name(&claims.signing_key),
    })
}

/// Claims with a `nextUpdate` are of a path that a current list was held against.
fn revocation(rules: &SnpRules, claims: &SnpClaims) -> Option<Reason> {
    let is_missing = claims.crl_next_update.is_none();
    (rules.revocation == RevocationRule::Required && is_missing).then(|| Reason {
        at: None,
        advisory: None,
        code: "policy.snp.revocation",
        rule: "snp.revocation".to_owned(),
        expected: "a revocation list of the ARK".to_owned(),
        actual: "none was given".to_owned(),
    })
}

/// A VLEK names a cloud provider, a VCEK none.
fn csp_id(rules: &SnpRules, claims: &SnpClaims) -> Option<Reason> {
    let accepted = rules.csp_ids.as_ref()?;
    let is_accepted = claims
        .csp_id
        .as_ref()
        .is_some_and(|id| accepted.contains(id));
    (claims.signing_key == SigningKey::Vlek && !is_accepted).then(|| {
        Reason::new(
            "policy.snp.csp_id",
            "snp.csp_ids",
            listed(accepted.iter().map(|id| told(id))),
            claims
                .csp_id
                .as_deref()
                .map_or_else(|| "none".to_owned(), told),
        )
    })
}

fn guest_svn(rules: &SnpRules, claims: &SnpClaims) -> Option<Reason> {
    let least = rules.identity.minimum_guest_svn?;
    (claims.guest_svn < least).then(|| {
        Reason::new(
            "policy.snp.guest_svn",
            "snp.minimum_guest_svn",
            format!("{least} or more"),
            claims.guest_svn.to_string(),
        )
    })
}

/// No document can allow this.
fn debug(claims: &SnpClaims) -> Option<Reason> {
    (claims.debug || claims.guest_policy & DEBUG != 0).then(|| Reason {
        at: None,
        advisory: None,
        code: "policy.snp.debug",
        rule: "every policy".to_owned(),
        expected: "DEBUG clear".to_owned(),
        actual: "DEBUG set".to_owned(),
    })
}

/// A flag that this build has no name for may be a permission.
fn reserved(claims: &SnpClaims) -> Option<Reason> {
    let bits = claims.guest_policy;
    (bits & RESERVED_ZERO != 0 || bits & RESERVED_ONE == 0).then(|| Reason {
        at: None,
        advisory: None,
        code: "policy.snp.guest_policy.reserved",
        rule: "every policy".to_owned(),
        expected: "bit 17 set, bits 63 to 26 clear".to_owned(),
        actual: format!("{bits:#018x}"),
    })
}

fn guest_policy(rules: &SnpRules, claims: &SnpClaims) -> Vec<Reason> {
    rules
        .guest_policy
        .iter()
        .filter(|(bit, rule)| !rule.accepts(claims.guest_policy, bit.mask()))
        .map(|(bit, rule)| Reason {
            at: None,
            advisory: None,
            code: "policy.snp.guest_policy",
            rule: format!("snp.guest_policy.{}", bit.name()),
            expected: name_of(&BIT_RULES, &rule).to_owned(),
            actual: state(claims.guest_policy, bit.mask()),
        })
        .collect()
}

fn platform_info(rules: &SnpRules, claims: &SnpClaims) -> Vec<Reason> {
    let bits = claims.platform_info;
    let required = rules.platform_info.required.iter();
    let required = required.map(|bit| (bit, "required", bits & bit.mask() == 0));
    let forbidden = rules.platform_info.forbidden.iter();
    let forbidden = forbidden.map(|bit| (bit, "forbidden", bits & bit.mask() != 0));
    required
        .chain(forbidden)
        .filter(|(_, _, unmet)| *unmet)
        .map(|(bit, rule, _)| Reason {
            at: None,
            advisory: None,
            code: "policy.snp.platform_info",
            rule: format!("snp.platform_info.{rule}"),
            expected: format!("{} {rule}", bit.name()),
            actual: state(bits, bit.mask()),
        })
        .collect()
}

fn state(bits: u64, mask: u64) -> String {
    if bits & mask == 0 { "clear" } else { "set" }.to_owned()
}
