//! The rules that the inventory answers: where hardware stands and whose it is, and that a Milan is listed.

use super::{Ends, Subject, listed, told};
use crate::{
    AllowList, HardwareId, Inventory, Placement, Policy, Reason,
    residency::{ResidencyRules, ResidencyScope},
};
use attestation::{CpuClaims, snp::Product};

/// Every unmet rule of `[residency]`, piece by piece: the CPU, then the devices.
pub(super) fn reasons(policy: &Policy, subject: &Subject<'_>) -> Vec<Reason> {
    let mut reasons = Vec::new();
    reasons.extend(milan(subject));
    let Some(rules) = policy.residency() else {
        return reasons;
    };
    match HardwareId::of_cpu(subject.claims) {
        Some(cpu) => reasons.extend(piece(rules, subject, &cpu)),
        None => reasons.push(masked()),
    }
    for device in devices(rules, subject) {
        reasons.extend(piece(rules, subject, &device));
    }
    reasons
}

/// The ends of the entries that the node rests on.
pub(super) fn ends(policy: &Policy, subject: &Subject<'_>, ends: &mut Ends) {
    let rules = policy.residency();
    let cpu = HardwareId::of_cpu(subject.claims).filter(|_| rules.is_some() || is_milan(subject));
    let devices = rules.into_iter().flat_map(|rules| devices(rules, subject));
    let pieces = cpu.into_iter().chain(devices);
    for placement in pieces.filter_map(|id| subject.placed(&id)) {
        ends.rule(placement.valid_until);
        ends.rule(subject.around.inventory.map(Inventory::expires));
    }
}

fn devices<'a>(
    rules: &ResidencyRules,
    subject: &Subject<'a>,
) -> impl Iterator<Item = HardwareId> + use<'a> {
    let is_looked_at = rules.scope == ResidencyScope::All;
    subject.device_ids().filter(move |_| is_looked_at)
}

/// AMD ships no more fixes for some of Milan's faults: such a chip is somebody's own, known one by one, or none.
fn milan(subject: &Subject<'_>) -> Option<Reason> {
    let chip = HardwareId::of_cpu(subject.claims);
    let is_listed = || chip.is_some_and(|chip| subject.placed(&chip).is_some());
    (is_milan(subject) && !is_listed()).then(|| {
        let actual = chip.map_or_else(|| "a masked CHIP_ID".to_owned(), |chip| chip.to_string());
        Reason::new(
            "policy.snp.milan",
            "every policy",
            "a chip of the inventory, or another product",
            actual,
        )
    })
}

fn is_milan(subject: &Subject<'_>) -> bool {
    matches!(&subject.claims.cpu, CpuClaims::Snp(snp) if snp.product == Product::Milan)
}

fn masked() -> Reason {
    Reason::new(
        "policy.residency.masked",
        "residency",
        "a CPU that tells its identifier",
        "a masked CHIP_ID",
    )
}

/// Every unmet rule about one piece of hardware.
fn piece(rules: &ResidencyRules, subject: &Subject<'_>, id: &HardwareId) -> Vec<Reason> {
    let Some(placement) = subject.placed(id) else {
        return vec![unlisted(subject, id)];
    };
    let mut reasons = Vec::new();
    let Placement {
        country,
        site,
        owner,
        ..
    } = placement;
    let countries = (rules.countries.as_ref(), country.as_str());
    reasons.extend(fits("policy.residency.country", "countries", countries, id));
    let sites = (rules.sites.as_ref(), site.as_str());
    reasons.extend(fits("policy.residency.site", "sites", sites, id));
    let owners = (rules.owners.as_ref(), owner.as_str());
    reasons.extend(fits("policy.residency.owner", "owners", owners, id));
    reasons
}

fn unlisted(subject: &Subject<'_>, id: &HardwareId) -> Reason {
    let entry = subject.around.inventory.map(|inventory| inventory.find(id));
    let actual = match entry {
        None => format!("{id}, and no inventory is in force"),
        Some(None) => format!("{id}, which the inventory does not list"),
        Some(Some(_)) => format!("{id}, which the inventory lists for another time"),
    };
    let expected = "an entry of the inventory that is valid now";
    Reason::new("policy.residency.unlisted", "residency", expected, actual)
}

fn fits(
    code: &'static str,
    field: &str,
    (accepted, actual): (Option<&AllowList<String>>, &str),
    id: &HardwareId,
) -> Option<Reason> {
    let accepted = accepted?;
    let is_accepted = accepted.iter().any(|one| one == actual);
    (!is_accepted).then(|| {
        let expected = listed(accepted.iter().map(|one| told(one)));
        let actual = format!("{} of {id}", told(actual));
        Reason::new(code, format!("residency.{field}"), expected, actual)
    })
}
