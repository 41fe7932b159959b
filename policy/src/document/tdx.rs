//! The table `[tdx]` of schema 1.

mod events;
mod until;
mod xfam;

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
    let statuses_until = until::statuses(&mut tdx, statuses.as_ref(), mistakes);
    let grace_seconds = optional(&mut tdx, "grace_seconds", mistakes, |field, m| {
        field.integer(0..=MAX_GRACE_SECONDS, m)
    });
    let advisories = optional(&mut tdx, "advisories", mistakes, until::advisories);
    let minimum_evaluation_number = tdx.read("minimum_evaluation_number", mistakes, |field, m| {
        u32::try_from(field.integer(0..=u64::from(u32::MAX), m)?).ok()
    });
    let minimum_pce_svn = optional(&mut tdx, "minimum_pce_svn", mistakes, |field, m| {
        u16::try_from(field.integer(0..=u64::from(u16::MAX), m)?).ok()
    });
    let fmspcs = optional(&mut tdx, "fmspcs", mistakes, fmspcs);
    let mrtd = tdx.read("mrtd", mistakes, reference_values::digests);
    let rtmrs = RTMRS.map(|name| register(&mut tdx, name, mistakes));
    let [rtmr0, rtmr1, rtmr2, rtmr3] = rtmrs;
    let mut register = |name| register(&mut tdx, name, mistakes);
    let (mrseam, mrsignerseam) = (register("mrseam"), register("mrsignerseam"));
    let (mrconfigid, mrowner) = (register("mrconfigid"), register("mrowner"));
    let mrownerconfig = register("mrownerconfig");
    let events = optional(&mut tdx, "events", mistakes, events::read);
    let service_td = tdx.read("service_td", mistakes, |field, m| {
        field.named(&BIT_RULES, m)
    });
    let attributes = tdx.read("attributes", mistakes, attributes);
    let xfam = optional(&mut tdx, "xfam", mistakes, xfam::read);
    tdx.close(mistakes);
    Some(TdxRules {
        statuses: statuses?,
        statuses_until: statuses_until?,
        grace_seconds: grace_seconds?,
        advisories: advisories?,
        minimum_evaluation_number: minimum_evaluation_number?,
        minimum_pce_svn: minimum_pce_svn?,
        fmspcs: fmspcs?,
        mrseam: mrseam?,
        mrsignerseam: mrsignerseam?,
        mrtd: mrtd?,
        rtmrs: [rtmr0?, rtmr1?, rtmr2?, rtmr3?],
        events: events?,
        mrconfigid: mrconfigid?,
        mrowner: mrowner?,
        mrownerconfig: mrownerconfig?,
        service_td: service_td?,
        attributes: attributes?,
        xfam: xfam?,
    })
}

fn statuses(field: Field<'_>, mistakes: &mut Mistakes<'_>) -> Option<AllowList<TcbStatus>> {
    let status = |field: Field<'_>, m: &mut Mistakes<'_>| field.named(&STATUSES, m);
    allow_list(field, mistakes, status, TcbStatus::eq)
}

fn fmspcs(field: Field<'_>, mistakes: &mut Mistakes<'_>) -> Option<AllowList<[u8; 6]>> {
    let fmspc = |field: Field<'_>, m: &mut Mistakes<'_>| field.digest(m);
    allow_list(field, mistakes, fmspc, <[u8; 6]>::eq)
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
