//! The tables `[[tenants]]` of schema 1.

use super::{mistakes::Mistakes, reader::Field, schema::allow_list};
use crate::{AllowList, tenant::Tenant};

/// No name and no key twice: a name says whose key it is.
pub(super) fn read(field: Field<'_>, mistakes: &mut Mistakes<'_>) -> Option<AllowList<Tenant>> {
    allow_list(field, mistakes, tenant, |a, b| {
        a.name == b.name || a.key == b.key
    })
}

fn tenant(field: Field<'_>, mistakes: &mut Mistakes<'_>) -> Option<Tenant> {
    let mut section = field.section(mistakes)?;
    let name = section.read("name", mistakes, Field::text);
    let key = section.read("key", mistakes, Field::digest);
    section.close(mistakes);
    Some(Tenant {
        name: name?,
        key: key?,
    })
}
