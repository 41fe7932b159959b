//! The rules about TDX claims, one function each.

use super::{listed, reference_values::Accepted};
use crate::{
    BitRule, Reason,
    bit_rule::BIT_RULES,
    snp::name_of,
    tdx::{STATUSES, TdxRules},
};
use attestation::{
    UnixTime,
    tdx::{TdReport, TdxClaims},
};

/// Every unmet rule of `[tdx]`, in the document's order.
pub(super) fn reasons(rules: &TdxRules, claims: &TdxClaims, now: UnixTime) -> Vec<Reason> {
    let mut reasons = Vec::new();
    reasons.extend(status(rules, claims));
    reasons.extend(grace(rules, claims, now));
    reasons.extend(evaluation_number(rules, claims));
    for (accepted, actual) in registers(rules, &claims.td) {
        reasons.extend(accepted.reason(actual, now));
    }
    reasons.extend(service_td(rules, claims));
    reasons.extend(debug(claims));
    reasons.extend(attributes(rules, claims));
    reasons
}

/// Last second at which claims without a reason still have none; `None`: there is no such second.
pub(super) fn end(rules: &TdxRules, claims: &TdxClaims) -> Option<UnixTime> {
    let registers = registers(rules, &claims.td);
    let ends = registers.filter_map(|(accepted, actual)| accepted.end(actual));
    ends.chain(grace_end(rules, claims)).min()
}

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

/// Last second of the grace of a platform that lacks fixes.
fn grace_end(rules: &TdxRules, claims: &TdxClaims) -> Option<UnixTime> {
    let since = claims.tcb.out_of_date_since?;
    let is_graced = claims.tcb.status.is_out_of_date();
    rules
        .grace_seconds
        .filter(|_| is_graced)
        .map(|seconds| since.plus(seconds))
}

/// How long a platform may go without a fix, counted from the day of the fix.
fn grace(rules: &TdxRules, claims: &TdxClaims, now: UnixTime) -> Option<Reason> {
    let grace_seconds = rules.grace_seconds?;
    let tcb = &claims.tcb;
    let since = tcb.out_of_date_since;
    let is_within = grace_end(rules, claims).is_some_and(|end| now <= end);
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

/// The registers that the document names, each with what the TD has.
fn registers<'a>(
    rules: &'a TdxRules,
    td: &'a TdReport,
) -> impl Iterator<Item = (Accepted<'a, 48>, &'a [u8; 48])> {
    let [rtmr0, rtmr1, rtmr2, rtmr3] = &rules.rtmrs;
    let [has_rtmr0, has_rtmr1, has_rtmr2, has_rtmr3] = &td.rtmrs;
    let registers = [
        ("tdx.mrtd", Some(&rules.mrtd), &td.mr_td),
        ("tdx.rtmr0", rtmr0.as_ref(), has_rtmr0),
        ("tdx.rtmr1", rtmr1.as_ref(), has_rtmr1),
        ("tdx.rtmr2", rtmr2.as_ref(), has_rtmr2),
        ("tdx.rtmr3", rtmr3.as_ref(), has_rtmr3),
        (
            "tdx.mrconfigid",
            rules.mrconfigid.as_ref(),
            &td.mr_config_id,
        ),
    ];
    registers.into_iter().map(|(rule, values, actual)| {
        let code = "policy.tdx.measurement";
        (Accepted { code, rule, values }, actual)
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
