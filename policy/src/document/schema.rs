//! Schema 1 of the policy document, table by table (docs/policy.md).

use super::{
    Beside, Document, Freshness, Hardware, PolicyError, Service, exceptions, gpu,
    head::Head,
    mistakes::Mistakes,
    models,
    places::Places,
    reader::{Field, Section},
    rego, residency, service, snp, tdx, tenants,
};
use crate::{AllowList, NamedDigest, snp::SnpRules, tdx::TdxRules};
use std::sync::Arc;

/// Longest `freshness.max_age_seconds`: a week.
const MAX_AGE_SECONDS: u64 = 7 * 24 * 60 * 60;

/// Longest `freshness.max_collateral_age_seconds`: a year and a day.
const MAX_COLLATERAL_AGE_SECONDS: u64 = 366 * 24 * 60 * 60;

/// Reads all of the policy but its schema.
pub(super) fn read(root: &mut Section<'_>, mistakes: &mut Mistakes<'_>) -> Option<Document> {
    let places = Places::of(root, mistakes.text());
    let head = Head::read(root, mistakes);
    let previous = optional(root, "previous", mistakes, Field::digest);
    let freshness = root.read("freshness", mistakes, freshness);
    let hardware = hardware(root, mistakes);
    let service = service(root, mistakes);
    let tenants = optional(root, "tenants", mistakes, tenants::read);
    let beside = beside(root, mistakes);
    let exceptions = optional(root, "exceptions", mistakes, exceptions::read);
    Some(Document {
        places: Arc::new(places),
        head: head?,
        previous: previous?,
        freshness: freshness?,
        hardware: hardware?,
        service: service?,
        tenants: tenants?,
        beside: beside?,
        exceptions: exceptions?,
    })
}

fn hardware(root: &mut Section<'_>, mistakes: &mut Mistakes<'_>) -> Option<Hardware> {
    let (snp, tdx) = tees(root, mistakes);
    let gpu = optional(root, "gpu", mistakes, gpu::read);
    Some(Hardware {
        snp: snp?,
        tdx: tdx?,
        gpu: gpu?,
    })
}

fn service(root: &mut Section<'_>, mistakes: &mut Mistakes<'_>) -> Option<Service> {
    let models = optional(root, "models", mistakes, models::read);
    let runtimes = optional(root, "runtime", mistakes, accepted);
    let engine = optional(root, "engine", mistakes, service::engine);
    let aibom = optional(root, "aibom", mistakes, service::aibom);
    let channel = optional(root, "channel", mistakes, service::channel);
    let limits = optional(root, "limits", mistakes, service::limits);
    Some(Service {
        models: models?,
        runtimes: runtimes?,
        engine: engine?,
        aibom: aibom?,
        channel: channel?,
        limits: limits?,
    })
}

fn beside(root: &mut Section<'_>, mistakes: &mut Mistakes<'_>) -> Option<Beside> {
    let residency = optional(root, "residency", mistakes, residency::read);
    let lease = optional(root, "lease", mistakes, residency::lease);
    let rego = optional(root, "rego", mistakes, rego::read);
    Some(Beside {
        residency: residency?,
        lease: lease?,
        rego: rego?,
    })
}

/// `[snp]` and `[tdx]`: at least one of them.
fn tees(
    root: &mut Section<'_>,
    mistakes: &mut Mistakes<'_>,
) -> (Option<Option<SnpRules>>, Option<Option<TdxRules>>) {
    let snp = optional(root, "snp", mistakes, snp::read);
    let tdx = optional(root, "tdx", mistakes, tdx::read);
    if let (Some(None), Some(None)) = (&snp, &tdx) {
        let field = "snp or tdx".to_owned();
        mistakes.note(root.at, |at| PolicyError::MissingField { at, field });
    }
    (snp, tdx)
}

/// A table that may be left out: `Some(None)`; `None` if it is a mistake.
pub(super) fn optional<'t, T>(
    root: &mut Section<'t>,
    name: &str,
    mistakes: &mut Mistakes<'_>,
    read: impl FnOnce(Field<'t>, &mut Mistakes<'_>) -> Option<T>,
) -> Option<Option<T>> {
    match root.optional(name) {
        None => Some(None),
        Some(field) => read(field, mistakes).map(Some),
    }
}

fn freshness(field: Field<'_>, mistakes: &mut Mistakes<'_>) -> Option<Freshness> {
    let mut freshness = field.section(mistakes)?;
    let max_age_seconds = freshness.read("max_age_seconds", mistakes, |field, m| {
        field.integer(1..=MAX_AGE_SECONDS, m)
    });
    let name = "max_collateral_age_seconds";
    let max_collateral_age_seconds = optional(&mut freshness, name, mistakes, |field, m| {
        field.integer(1..=MAX_COLLATERAL_AGE_SECONDS, m)
    });
    freshness.close(mistakes);
    Some(Freshness {
        max_age_seconds: max_age_seconds?,
        max_collateral_age_seconds: max_collateral_age_seconds?,
    })
}

/// A table with nothing but the tables `accepted`.
fn accepted(field: Field<'_>, mistakes: &mut Mistakes<'_>) -> Option<AllowList<NamedDigest<32>>> {
    let mut section = field.section(mistakes)?;
    let list = section.read("accepted", mistakes, named_digests);
    section.close(mistakes);
    list
}

/// An array of names, none of them twice.
pub(super) fn texts(field: Field<'_>, mistakes: &mut Mistakes<'_>) -> Option<AllowList<String>> {
    let text = |field: Field<'_>, m: &mut Mistakes<'_>| field.text(m);
    allow_list(field, mistakes, text, String::eq)
}

/// An array of `{ name, digest }`, no digest twice.
pub(super) fn named_digests<const N: usize>(
    field: Field<'_>,
    mistakes: &mut Mistakes<'_>,
) -> Option<AllowList<NamedDigest<N>>> {
    allow_list(field, mistakes, named_digest, |a, b| a.digest == b.digest)
}

fn named_digest<const N: usize>(
    field: Field<'_>,
    mistakes: &mut Mistakes<'_>,
) -> Option<NamedDigest<N>> {
    let mut section = field.section(mistakes)?;
    let name = section.read("name", mistakes, Field::text);
    let digest = section.read("digest", mistakes, Field::digest);
    section.close(mistakes);
    Some(NamedDigest {
        name: name?,
        digest: digest?,
    })
}

/// A non-empty array of what `read` reads, no two entries the `same`; `None` if any entry is a mistake.
pub(super) fn allow_list<T>(
    field: Field<'_>,
    mistakes: &mut Mistakes<'_>,
    read: impl Fn(Field<'_>, &mut Mistakes<'_>) -> Option<T>,
    same: impl Fn(&T, &T) -> bool,
) -> Option<AllowList<T>> {
    let mut accepted: Vec<T> = Vec::new();
    let entries = field.entries(mistakes)?;
    let count = entries.len();
    for entry in entries {
        let (offset, field) = (entry.at, entry.path.clone());
        let Some(value) = read(entry, mistakes) else {
            continue;
        };
        if accepted.iter().any(|earlier| same(earlier, &value)) {
            mistakes.note(offset, |at| PolicyError::Duplicate { at, field });
        } else {
            accepted.push(value);
        }
    }
    (accepted.len() == count).then(|| AllowList::new(accepted))?
}
