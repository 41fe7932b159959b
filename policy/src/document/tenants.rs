//! The tables `[[tenants]]` of schema 1.

use super::{
    mistakes::Mistakes,
    reader::Field,
    schema::{allow_list, optional},
    validity,
};
use crate::{
    AllowList,
    tenant::{TENANT_ROLES, Tenant, TenantRole},
};

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
    let roles = optional(&mut section, "roles", mistakes, roles);
    let validity = validity::read(&mut section, mistakes);
    section.close(mistakes);
    Some(Tenant {
        name: name?,
        key: key?,
        roles: roles?.unwrap_or_else(|| vec![TenantRole::Infer]),
        validity: validity?,
    })
}

fn roles(field: Field<'_>, mistakes: &mut Mistakes<'_>) -> Option<Vec<TenantRole>> {
    let role = |field: Field<'_>, m: &mut Mistakes<'_>| field.named(&TENANT_ROLES, m);
    let roles = allow_list(field, mistakes, role, TenantRole::eq)?;
    Some(roles.iter().copied().collect())
}
