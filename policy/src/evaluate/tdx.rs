//! The rules about TDX claims, one function each.

use super::{listed, told};
use crate::{
    AllowList, BitRule, NamedDigest, Reason,
    bit_rule::BIT_RULES,
    snp::name_of,
    tdx::{STATUSES, TdxRules},
};
use attestation::{UnixTime, tdx::TdxClaims};

/// Every unmet rule of `[tdx]`, in the document's order.
pub(super) fn reasons(rules: &TdxRules, claims: &TdxClaims, now: UnixTime) -> Vec<Reason> {
    let mut reasons = Vec::new();
    reasons.extend(status(rules, claims));
    reasons.extend(grace(rules, claims, now));
    reasons.extend(evaluation_number(rules, claims));
    reasons.extend(register("mrtd", Some(&rules.mrtd), &claims.td.mr_td));
    for ((name, accepted), actual) in RTMRS.iter().zip(&rules.rtmrs).zip(&claims.td.rtmrs) {
        reasons.extend(register(name, accepted.as_ref(), actual));
    }
    let mrconfigid = rules.mrconfigid.as_ref();
    reasons.extend(register("mrconfigid", mrconfigid, &claims.td.mr_config_id));
    reasons.extend(service_td(rules, claims));
    reasons.extend(debug(claims));
    reasons.extend(attributes(rules, claims));
    reasons
}

const RTMRS: [&str; 4] = ["rtmr0", "rtmr1", "rtmr2", "rtmr3"];

fn status(rules: &TdxRules, claims: &TdxClaims) -> Option<Reason> {
    let actual = &claims.tcb.status;
    (!rules.statuses.contains(actual)).then(|| Reason {
        at: None,
        advisory: None,
        code: "policy.tdx.status",
        rule: "tdx.statuses".to_owned(),
        expected: listed(
            rules
                .statuses
                .iter()
                .map(|one| name_of(&STATUSES, one).to_owned()),
        ),
        actual: actual.name().to_owned(),
    })
}

/// How long a platform may go without a fix, counted from the day of the fix.
fn grace(rules: &TdxRules, claims: &TdxClaims, now: UnixTime) -> Option<Reason> {
    let grace_seconds = rules.grace_seconds?;
    let tcb = &claims.tcb;
    let since = tcb.out_of_date_since;
    let is_within = since.is_some_and(|since| now <= since.plus(grace_seconds));
    (tcb.status.is_out_of_date() && !is_within).then(|| Reason {
        at: None,
        advisory: None,
        code: "policy.tdx.grace",
        rule: "tdx.grace_seconds".to_owned(),
        expected: format!("at most {grace_seconds} seconds behind"),
        actual: since.map_or("no date".to_owned(), |since| {
            format!("{} since {}", tcb.status, since.to_rfc3339())
        }),
    })
}

fn evaluation_number(rules: &TdxRules, claims: &TdxClaims) -> Option<Reason> {
    let tcb = &claims.tcb;
    let actual = tcb
        .evaluation_data_number
        .min(tcb.qe_evaluation_data_number);
    (actual < rules.minimum_evaluation_number).then(|| Reason {
        at: None,
        advisory: None,
        code: "policy.tdx.evaluation_number",
        rule: "tdx.minimum_evaluation_number".to_owned(),
        expected: format!("{} or more", rules.minimum_evaluation_number),
        actual: actual.to_string(),
    })
}

fn register(
    name: &str,
    accepted: Option<&AllowList<NamedDigest<48>>>,
    actual: &[u8; 48],
) -> Option<Reason> {
    let accepted = accepted?;
    let is_known = accepted.iter().any(|known| known.digest == *actual);
    (!is_known).then(|| Reason {
        at: None,
        advisory: None,
        code: "policy.tdx.measurement",
        rule: format!("tdx.{name}"),
        expected: listed(
            accepted
                .iter()
                .map(|known| format!("{} ({})", told(&known.name), hex::encode(known.digest))),
        ),
        actual: hex::encode(actual),
    })
}

fn service_td(rules: &TdxRules, claims: &TdxClaims) -> Option<Reason> {
    let v15 = claims.td.v15.as_ref();
    let bound = v15.is_some_and(|td| td.mr_service_td != [0; 48]);
    let accepted = rules.service_td.accepts(u64::from(bound), 1);
    (!accepted).then(|| Reason {
        at: None,
        advisory: None,
        code: "policy.tdx.service_td",
        rule: "tdx.service_td".to_owned(),
        expected: name_of(&BIT_RULES, &rules.service_td).to_owned(),
        actual: if bound { "bound" } else { "none" }.to_owned(),
    })
}

/// No document can allow this.
fn debug(claims: &TdxClaims) -> Option<Reason> {
    claims.td.attributes.under_debug().then(|| Reason {
        at: None,
        advisory: None,
        code: "policy.tdx.debug",
        rule: "every policy".to_owned(),
        expected: "bits 7:0 of ATTRIBUTES clear".to_owned(),
        actual: format!("{:#018x}", claims.td.attributes.0),
    })
}

fn attributes(rules: &TdxRules, claims: &TdxClaims) -> Vec<Reason> {
    let bits = claims.td.attributes.0;
    let unmet = |rule: BitRule, mask: u64| !rule.accepts(bits, mask);
    rules
        .attributes
        .iter()
        .filter(|(bit, rule)| unmet(*rule, bit.mask()))
        .map(|(bit, rule)| Reason {
            at: None,
            advisory: None,
            code: "policy.tdx.attributes",
            rule: format!("tdx.attributes.{}", bit.name()),
            expected: name_of(&BIT_RULES, &rule).to_owned(),
            actual: state(bits, bit.mask()),
        })
        .collect()
}

fn state(bits: u64, mask: u64) -> String {
    if bits & mask == 0 { "clear" } else { "set" }.to_owned()
}
