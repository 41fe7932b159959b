//! The firmware that the report tells of, against floors and advisories.

use crate::{
    Advisory, Reason,
    evaluate::Ends,
    snp::{
        FirmwareAdvisory, PRODUCTS, SnpRules, TcbField, TcbFloor, name_of,
        tcb::{TCB_COMPONENTS, TCB_FIELDS},
    },
};
use attestation::{UnixTime, snp::SnpClaims};

/// Each judged TCB against its product's floor, one reason for each component below. A product without a floor is one that
/// `snp.products` has denied.
pub(super) fn floors(rules: &SnpRules, claims: &SnpClaims) -> Vec<Reason> {
    let floor_of = |floor: &&TcbFloor| floor.product == claims.product;
    let floor = rules.minimum_tcb.iter().find(floor_of);
    let below = floor
        .into_iter()
        .flat_map(|floor| below(rules, claims, floor));
    below.collect()
}

/// An absent FMC is below any floor.
fn below<'a>(
    rules: &'a SnpRules,
    claims: &'a SnpClaims,
    floor: &'a TcbFloor,
) -> impl Iterator<Item = Reason> + 'a {
    judged_fields(rules).flat_map(move |field| {
        TCB_COMPONENTS.iter().filter_map(move |(name, component)| {
            let (least, has) = (component.of(&floor.floor), component.of(field.of(claims)));
            let product = name_of(&PRODUCTS, &floor.product);
            (has < least).then(|| {
                Reason::new(
                    "policy.snp.minimum_tcb",
                    format!("snp.minimum_tcb.{name} of {product}"),
                    format!("{} or more", least.unwrap_or_default()),
                    told_svn(has, field),
                )
            })
        })
    })
}

/// The judged TCBs in the order of the specification.
fn judged_fields(rules: &SnpRules) -> impl Iterator<Item = TcbField> {
    let fields = TCB_FIELDS.iter().map(|(_, field)| *field);
    fields.filter(|field| rules.tcb_fields.contains(field))
}

fn told_svn(svn: Option<u8>, field: TcbField) -> String {
    let svn = svn.map_or_else(|| "absent".to_owned(), |svn| svn.to_string());
    match field {
        TcbField::Reported => svn,
        other => format!("{svn} in {}", other.name()),
    }
}

/// One reason for each demanded advisory and each judged TCB without its fix.
pub(super) fn advisories(rules: &SnpRules, claims: &SnpClaims, now: UnixTime) -> Vec<Reason> {
    unmended(rules, claims)
        .filter(|(advisory, _)| advisory.is_demanded(now))
        .map(|(advisory, field)| unmet(advisory, field, claims))
        .collect()
}

/// The last seconds before advisories are demanded whose fixes are missing.
pub(super) fn ends(rules: &SnpRules, claims: &SnpClaims, ends: &mut Ends) {
    for (advisory, _) in unmended(rules, claims) {
        let before = |from: UnixTime| UnixTime(from.0.saturating_sub(1));
        ends.rule(advisory.from.map(before));
    }
}

/// The advisories of the report's product, demanded or not, with each judged TCB that lacks the fix.
fn unmended<'a>(
    rules: &'a SnpRules,
    claims: &'a SnpClaims,
) -> impl Iterator<Item = (&'a FirmwareAdvisory, TcbField)> {
    let advisories = rules.advisories.iter().flat_map(|list| list.iter());
    let own = advisories.filter(|advisory| advisory.product == claims.product);
    own.flat_map(move |advisory| {
        let is_unmended = move |field: &TcbField| {
            advisory.component.of(field.of(claims)) < Some(advisory.minimum)
        };
        let fields = judged_fields(rules).filter(is_unmended);
        fields.map(move |field| (advisory, field))
    })
}

fn unmet(advisory: &FirmwareAdvisory, field: TcbField, claims: &SnpClaims) -> Reason {
    let component = name_of(&TCB_COMPONENTS, &advisory.component);
    let has = told_svn(advisory.component.of(field.of(claims)), field);
    Reason {
        at: Some(advisory.at),
        advisory: Some(Advisory {
            name: advisory.name.clone(),
            link: advisory.link.clone(),
        }),
        ..Reason::new(
            "policy.snp.advisory",
            format!("snp.advisories of {}", advisory.name),
            format!("{component} {} or more", advisory.minimum),
            format!("{component} {has}"),
        )
    }
}
