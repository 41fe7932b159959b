//! Schema 1 of the policy document, table by table (docs/policy.md).

use super::{
    Document, PolicyError, gpu,
    head::Head,
    mistakes::Mistakes,
    places::Places,
    reader::{Field, Section},
    snp, tdx, tenants,
};
use crate::{AllowList, NamedDigest, snp::SnpRules, tdx::TdxRules};
use std::sync::Arc;

/// Longest `freshness.max_age_seconds`: a week.
const MAX_AGE_SECONDS: u64 = 7 * 24 * 60 * 60;

/// Reads all of the policy but its schema.
pub(super) fn read(root: &mut Section<'_>, mistakes: &mut Mistakes<'_>) -> Option<Document> {
    let places = Places::of(root, mistakes.text());
    let head = Head::read(root, mistakes);
    let previous = optional(root, "previous", mistakes, Field::digest);
    let max_age_seconds = root.read("freshness", mistakes, freshness);
    let (snp, tdx) = tees(root, mistakes);
    let gpu = optional(root, "gpu", mistakes, gpu::read);
    let models = accepted(root, "models", mistakes);
    let runtimes = accepted(root, "runtime", mistakes);
    let tenants = optional(root, "tenants", mistakes, tenants::read);
    Some(Document {
        places: Arc::new(places),
        head: head?,
        previous: previous?,
        max_age_seconds: max_age_seconds?,
        snp: snp?,
        tdx: tdx?,
        gpu: gpu?,
        models,
        runtimes,
        tenants: tenants?,
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

fn freshness(field: Field<'_>, mistakes: &mut Mistakes<'_>) -> Option<u64> {
    let mut freshness = field.section(mistakes)?;
    let seconds = freshness.read("max_age_seconds", mistakes, |field, mistakes| {
        field.integer(1..=MAX_AGE_SECONDS, mistakes)
    });
    freshness.close(mistakes);
    seconds
}

/// `[[NAME.accepted]]`: absent as a whole, or with at least one entry.
fn accepted(
    root: &mut Section<'_>,
    name: &str,
    mistakes: &mut Mistakes<'_>,
) -> Option<AllowList<NamedDigest<32>>> {
    let mut section = root.optional(name)?.section(mistakes)?;
    let list = section.read("accepted", mistakes, named_digests);
    section.close(mistakes);
    list
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
