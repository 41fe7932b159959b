//! Lists of `{ name, digest, release, from, until }`.

use super::{
    mistakes::Mistakes,
    reader::Field,
    schema::{allow_list, optional},
    validity,
};
use crate::{AllowList, reference_value::ReferenceValue};

/// An array of digests, none of them twice: one digest has one window.
pub(super) fn digests<const N: usize>(
    field: Field<'_>,
    mistakes: &mut Mistakes<'_>,
) -> Option<AllowList<ReferenceValue<N>>> {
    list(field, "digest", mistakes)
}

/// The same for what is not a digest: it stands in `value`.
pub(super) fn values<const N: usize>(
    field: Field<'_>,
    mistakes: &mut Mistakes<'_>,
) -> Option<AllowList<ReferenceValue<N>>> {
    list(field, "value", mistakes)
}

fn list<const N: usize>(
    field: Field<'_>,
    key: &str,
    mistakes: &mut Mistakes<'_>,
) -> Option<AllowList<ReferenceValue<N>>> {
    let one = |field: Field<'_>, m: &mut Mistakes<'_>| reference_value(field, key, m);
    allow_list(field, mistakes, one, |a, b| a.digest == b.digest)
}

fn reference_value<const N: usize>(
    field: Field<'_>,
    key: &str,
    mistakes: &mut Mistakes<'_>,
) -> Option<ReferenceValue<N>> {
    let mut section = field.section(mistakes)?;
    let name = section.read("name", mistakes, Field::text);
    let digest = section.read(key, mistakes, Field::digest);
    let release = optional(&mut section, "release", mistakes, Field::text);
    let validity = validity::read(&mut section, mistakes);
    section.close(mistakes);
    Some(ReferenceValue {
        name: name?,
        digest: digest?,
        release: release?,
        validity: validity?,
    })
}
