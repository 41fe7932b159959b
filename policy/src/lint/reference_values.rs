//! Warnings about reference values: what release they are of, and whether their time has come.

use super::{Finding, finding};
use crate::{AllowList, Policy, ReferenceValue};

pub(super) fn findings(policy: &Policy) -> Vec<Finding> {
    let snp = policy
        .snp()
        .map(|snp| ("snp.measurements", &snp.measurements));
    let mrtd = policy.tdx().map(|tdx| ("tdx.mrtd", &tdx.mrtd));
    let rtmrs = policy.tdx().into_iter().flat_map(|tdx| {
        let names = ["tdx.rtmr0", "tdx.rtmr1", "tdx.rtmr2", "tdx.rtmr3"];
        let lists = names.into_iter().zip(&tdx.rtmrs);
        lists.filter_map(|(name, list)| Some((name, list.as_ref()?)))
    });
    let lists = snp.into_iter().chain(mrtd).chain(rtmrs);
    lists
        .flat_map(|(rule, list)| of_list(policy, rule, list))
        .collect()
}

fn of_list(policy: &Policy, rule: &str, list: &AllowList<ReferenceValue<48>>) -> Vec<Finding> {
    let mut findings = Vec::new();
    for value in list.iter() {
        findings.extend(no_release(rule, value));
        findings.extend(ended(policy, rule, value));
    }
    findings
}

fn no_release(rule: &str, value: &ReferenceValue<48>) -> Option<Finding> {
    value.release.is_none().then(|| {
        finding(
            "policy.lint.no_release",
            format!("{rule} of {}", value.name),
            "the value does not say which release it is of: name it, so that it can be built again and compared",
        )
    })
}

fn ended(policy: &Policy, rule: &str, value: &ReferenceValue<48>) -> Option<Finding> {
    let until = value.validity.until;
    let has_ended = until.is_some_and(|until| until < policy.not_before());
    has_ended.then(|| super::ended(format!("{rule} of {}", value.name)))
}
