//! The table `[tdx]` of schema 1.

use super::{
    mistakes::Mistakes,
    reader::{Field, Section},
    reference_values,
    schema::{allow_list, optional},
};
use crate::{
    AllowList, ReferenceValue,
    bit_rule::BIT_RULES,
    tdx::{STATUSES, TdAttributeBit, TdAttributeRules, TdxRules},
};
use attestation::tdx::TcbStatus;

/// Longest `grace_seconds`: a year and a day.
const MAX_GRACE_SECONDS: u64 = 366 * 24 * 60 * 60;

/// Names of the runtime measurement registers in a document.
const RTMRS: [&str; 4] = ["rtmr0", "rtmr1", "rtmr2", "rtmr3"];

pub(super) fn read(field: Field<'_>, mistakes: &mut Mistakes<'_>) -> Option<TdxRules> {
    let mut tdx = field.section(mistakes)?;
    let statuses = tdx.read("statuses", mistakes, statuses);
    let grace_seconds = optional(&mut tdx, "grace_seconds", mistakes, |field, m| {
        field.integer(0..=MAX_GRACE_SECONDS, m)
    });
    let minimum_evaluation_number = tdx.read("minimum_evaluation_number", mistakes, |field, m| {
        u32::try_from(field.integer(0..=u64::from(u32::MAX), m)?).ok()
    });
    let mrtd = tdx.read("mrtd", mistakes, reference_values::digests);
    let rtmrs = RTMRS.map(|name| register(&mut tdx, name, mistakes));
    let mrconfigid = register(&mut tdx, "mrconfigid", mistakes);
    let service_td = tdx.read("service_td", mistakes, |field, m| {
        field.named(&BIT_RULES, m)
    });
    let attributes = tdx.read("attributes", mistakes, attributes);
    tdx.close(mistakes);
    let [rtmr0, rtmr1, rtmr2, rtmr3] = rtmrs;
    Some(TdxRules {
        statuses: statuses?,
        grace_seconds: grace_seconds?,
        minimum_evaluation_number: minimum_evaluation_number?,
        mrtd: mrtd?,
        rtmrs: [rtmr0?, rtmr1?, rtmr2?, rtmr3?],
        mrconfigid: mrconfigid?,
        service_td: service_td?,
        attributes: attributes?,
    })
}

fn statuses(field: Field<'_>, mistakes: &mut Mistakes<'_>) -> Option<AllowList<TcbStatus>> {
    let status = |field: Field<'_>, m: &mut Mistakes<'_>| field.named(&STATUSES, m);
    allow_list(field, mistakes, status, TcbStatus::eq)
}

/// An optional list of digests; `None` if it is a mistake.
fn register(
    tdx: &mut Section<'_>,
    name: &str,
    mistakes: &mut Mistakes<'_>,
) -> Option<Option<AllowList<ReferenceValue<48>>>> {
    optional(tdx, name, mistakes, reference_values::digests)
}

/// `[tdx.attributes]`: every flag must be spoken about.
fn attributes(field: Field<'_>, mistakes: &mut Mistakes<'_>) -> Option<TdAttributeRules> {
    let mut section = field.section(mistakes)?;
    let rules = TdAttributeBit::ALL
        .map(|bit| section.read(bit.name(), mistakes, |field, m| field.named(&BIT_RULES, m)));
    section.close(mistakes);
    let rules: Option<Vec<_>> = rules.into_iter().collect();
    rules?.try_into().ok().map(TdAttributeRules)
}
