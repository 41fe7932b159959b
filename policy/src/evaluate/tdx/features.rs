//! What the TD was started with: service TDs, ATTRIBUTES, XFAM.

use super::super::listed;
use crate::{
    BitRule, Reason,
    bit_rule::BIT_RULES,
    snp::name_of,
    tdx::{TdxRules, XfamRules, xfam::XFAM_BITS},
};
use attestation::tdx::{TdReport, TdxClaims};

/// Every unmet rule about it.
pub(super) fn reasons(rules: &TdxRules, claims: &TdxClaims) -> Vec<Reason> {
    let mut reasons = Vec::new();
    reasons.extend(service_td(rules, claims));
    reasons.extend(debug(&claims.td));
    reasons.extend(attributes(rules, &claims.td));
    if let Some(rules) = &rules.xfam {
        reasons.extend(missing_features(rules, &claims.td));
        reasons.extend(other_features(rules, &claims.td));
    }
    reasons
}

fn service_td(rules: &TdxRules, claims: &TdxClaims) -> Option<Reason> {
    let bound = claims.td.service_td().is_some();
    let accepted = rules.service_td.accepts(u64::from(bound), 1);
    (!accepted).then(|| {
        Reason::new(
            "policy.tdx.service_td",
            "tdx.service_td",
            name_of(&BIT_RULES, &rules.service_td),
            if bound { "bound" } else { "none" },
        )
    })
}

/// No document can allow this.
fn debug(td: &TdReport) -> Option<Reason> {
    td.attributes.under_debug().then(|| {
        Reason::new(
            "policy.tdx.debug",
            "every policy",
            "bits 7:0 of ATTRIBUTES clear",
            format!("{:#018x}", td.attributes.0),
        )
    })
}

fn attributes(rules: &TdxRules, td: &TdReport) -> Vec<Reason> {
    let bits = td.attributes.0;
    let unmet = |rule: BitRule, mask: u64| !rule.accepts(bits, mask);
    let rules = rules.attributes.iter();
    rules
        .filter(|(bit, rule)| unmet(*rule, bit.mask()))
        .map(|(bit, rule)| {
            let is_set = bits & bit.mask() != 0;
            Reason::new(
                "policy.tdx.attributes",
                format!("tdx.attributes.{}", bit.name()),
                name_of(&BIT_RULES, &rule),
                if is_set { "set" } else { "clear" },
            )
        })
        .collect()
}

fn missing_features(rules: &XfamRules, td: &TdReport) -> Option<Reason> {
    let missing = rules.required & !td.xfam;
    (missing != 0).then(|| {
        Reason::new(
            "policy.tdx.xfam",
            "tdx.xfam.required",
            format!("set: {}", features(rules.required)),
            format!("clear: {}", features(missing)),
        )
    })
}

/// A feature that the document does not name is denied, whether or not this build has a name for it.
fn other_features(rules: &XfamRules, td: &TdReport) -> Option<Reason> {
    let accepted = rules.required | rules.allowed;
    let other = td.xfam & !accepted;
    (other != 0).then(|| {
        Reason::new(
            "policy.tdx.xfam",
            "tdx.xfam.allowed",
            format!("none set but {}", features(accepted)),
            format!("set: {}", features(other)),
        )
    })
}

/// Names of the bits; those without one by number.
fn features(bits: u64) -> String {
    let set = (0..64).filter(|bit| bits >> bit & 1 == 1);
    listed(set.map(|bit: u32| {
        let mut names = XFAM_BITS.iter();
        let named = names.find(|(_, mask)| *mask == 1_u64 << bit);
        named.map_or_else(|| format!("bit {bit}"), |(name, _)| (*name).to_owned())
    }))
}
