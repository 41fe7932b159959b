//! The tables `[residency]` and `[lease]` of schema 1: what a policy asks of the documents beside it.

use super::{
    mistakes::Mistakes,
    reader::Field,
    schema::{allow_list, optional, texts},
};
use crate::{
    AllowList,
    lease::{CONSEQUENCES, LeaseRule},
    residency::{ResidencyRules, SCOPES},
};

/// Longest `lease.max_age_seconds`: 90 days.
const MAX_LEASE_SECONDS: u64 = 90 * 24 * 60 * 60;

pub(super) fn read(field: Field<'_>, mistakes: &mut Mistakes<'_>) -> Option<ResidencyRules> {
    let mut residency = field.section(mistakes)?;
    let countries = optional(&mut residency, "countries", mistakes, countries);
    let sites = optional(&mut residency, "sites", mistakes, texts);
    let owners = optional(&mut residency, "owners", mistakes, texts);
    let scope = optional(&mut residency, "devices", mistakes, |field, m| {
        field.named(&SCOPES, m)
    });
    residency.close(mistakes);
    Some(ResidencyRules {
        countries: countries?,
        sites: sites?,
        owners: owners?,
        scope: scope?.unwrap_or_default(),
    })
}

fn countries(field: Field<'_>, mistakes: &mut Mistakes<'_>) -> Option<AllowList<String>> {
    allow_list(field, mistakes, country, String::eq)
}

fn country(field: Field<'_>, mistakes: &mut Mistakes<'_>) -> Option<String> {
    let expected = "two upper-case letters of ISO 3166-1, such as \"DE\"";
    field.parsed(expected, mistakes, |text| {
        let is_code = text.len() == 2 && text.bytes().all(|byte| byte.is_ascii_uppercase());
        is_code.then(|| text.to_owned())
    })
}

/// `[lease]`: both fields are required.
pub(super) fn lease(field: Field<'_>, mistakes: &mut Mistakes<'_>) -> Option<LeaseRule> {
    let mut lease = field.section(mistakes)?;
    let max_age_seconds = lease.read("max_age_seconds", mistakes, |field, m| {
        field.integer(1..=MAX_LEASE_SECONDS, m)
    });
    let when_absent = lease.read("when_absent", mistakes, |field, m| {
        field.named(&CONSEQUENCES, m)
    });
    lease.close(mistakes);
    Some(LeaseRule {
        max_age_seconds: max_age_seconds?,
        when_absent: when_absent?,
    })
}
