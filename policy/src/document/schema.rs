//! Schema 1 of the policy document, table by table (docs/policy.md).

use super::{
    Document, PolicyError, SCHEMA, Validity, gpu,
    mistakes::Mistakes,
    reader::{Field, Section},
    snp, tdx, tenants,
};
use crate::{AllowList, NamedDigest, snp::SnpRules, tdx::TdxRules};
use attestation::UnixTime;
use toml::de::DeTable;

/// Longest `freshness.max_age_seconds`: a week.
const MAX_AGE_SECONDS: u64 = 7 * 24 * 60 * 60;

/// Reads the whole document and tells all its mistakes.
pub(super) fn read(text: &str) -> Result<Document, Vec<PolicyError>> {
    let mut mistakes = Mistakes::of(text);
    let (table, errors) = DeTable::parse_recoverable(text);
    for error in &errors {
        let message = error.message().to_owned();
        let offset = error.span().map_or(0, |span| span.start);
        mistakes.note(offset, |at| PolicyError::Syntax { at, message });
    }
    if !errors.is_empty() {
        return mistakes.or(None);
    }
    let document = document(Section::root(table), &mut mistakes);
    mistakes.or(document)
}

fn document(mut root: Section<'_>, mistakes: &mut Mistakes<'_>) -> Option<Document> {
    schema(&mut root, mistakes)?;
    let version = root.read("version", mistakes, |field, mistakes| {
        field.integer(1..=i64::MAX as u64, mistakes)
    });
    let name = root.read("name", mistakes, Field::text);
    let validity = validity(&mut root, mistakes);
    let max_age_seconds = root.read("freshness", mistakes, freshness);
    let (snp, tdx) = tees(&mut root, mistakes);
    let gpu = optional(&mut root, "gpu", mistakes, gpu::read);
    let models = accepted(&mut root, "models", mistakes);
    let runtimes = accepted(&mut root, "runtime", mistakes);
    let tenants = optional(&mut root, "tenants", mistakes, tenants::read);
    root.close(mistakes);
    Some(Document {
        version: version?,
        name: name?,
        validity: validity?,
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
pub(super) fn optional<T>(
    root: &mut Section<'_>,
    name: &str,
    mistakes: &mut Mistakes<'_>,
    read: impl FnOnce(Field<'_>, &mut Mistakes<'_>) -> Option<T>,
) -> Option<Option<T>> {
    match root.optional(name) {
        None => Some(None),
        Some(field) => read(field, mistakes).map(Some),
    }
}

/// Nothing else is read of a document whose schema is not ours.
fn schema(root: &mut Section<'_>, mistakes: &mut Mistakes<'_>) -> Option<()> {
    let field = root.required("schema", mistakes)?;
    let offset = field.at;
    let found = field.integer(0..=u64::MAX, mistakes)?;
    if found != SCHEMA {
        mistakes.note(offset, |at| PolicyError::Schema { at, found });
    }
    (found == SCHEMA).then_some(())
}

fn validity(root: &mut Section<'_>, mistakes: &mut Mistakes<'_>) -> Option<Validity> {
    let not_before = time(root, "not_before", mistakes);
    let expires = time(root, "expires", mistakes);
    let ((_, not_before), (offset, expires)) = (not_before?, expires?);
    if expires <= not_before {
        mistakes.note(offset, |at| PolicyError::Conflict {
            at,
            field: "expires".to_owned(),
            other: "`not_before`, which is not earlier",
        });
        return None;
    }
    Some(Validity {
        not_before,
        expires,
    })
}

fn time(
    root: &mut Section<'_>,
    name: &str,
    mistakes: &mut Mistakes<'_>,
) -> Option<(usize, UnixTime)> {
    let field = root.required(name, mistakes)?;
    Some((field.at, field.time(mistakes)?))
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
