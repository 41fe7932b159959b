//! `[[tdx.statuses_until]]` and `[[tdx.advisories]]`.

use super::super::{
    PolicyError,
    mistakes::Mistakes,
    reader::{Field, Section},
    schema::{allow_list, optional},
};
use crate::{
    AllowList,
    tdx::{AdvisoryUntil, STATUSES, StatusUntil},
};
use attestation::tdx::TcbStatus;

/// `[[tdx.statuses_until]]`: none of those that are accepted without end.
pub(super) fn statuses(
    tdx: &mut Section<'_>,
    endless: Option<&AllowList<TcbStatus>>,
    mistakes: &mut Mistakes<'_>,
) -> Option<Option<AllowList<StatusUntil>>> {
    let Some(field) = tdx.optional("statuses_until") else {
        return Some(None);
    };
    let (offset, path) = (field.at, field.path.clone());
    let list = allow_list(field, mistakes, status, |a, b| a.status == b.status)?;
    let endless = endless?;
    if list.iter().any(|entry| endless.contains(&entry.status)) {
        mistakes.note(offset, |at| PolicyError::Conflict {
            at,
            field: path,
            other: "`tdx.statuses`, which accepts the status without end",
        });
    }
    Some(Some(list))
}

fn status(field: Field<'_>, mistakes: &mut Mistakes<'_>) -> Option<StatusUntil> {
    let at = mistakes.position(field.at);
    let mut section = field.section(mistakes)?;
    let status = section.read("status", mistakes, |field, m| field.named(&STATUSES, m));
    let until = section.read("until", mistakes, Field::time);
    let why = optional(&mut section, "why", mistakes, Field::text);
    section.close(mistakes);
    Some(StatusUntil {
        status: status?,
        until: until?,
        why: why?,
        at,
    })
}

/// `[[tdx.advisories]]`.
pub(super) fn advisories(
    field: Field<'_>,
    mistakes: &mut Mistakes<'_>,
) -> Option<AllowList<AdvisoryUntil>> {
    allow_list(field, mistakes, advisory, |a, b| a.id == b.id)
}

fn advisory(field: Field<'_>, mistakes: &mut Mistakes<'_>) -> Option<AdvisoryUntil> {
    let at = mistakes.position(field.at);
    let mut section = field.section(mistakes)?;
    let id = section.read("id", mistakes, Field::text);
    let until = section.read("until", mistakes, Field::time);
    let why = optional(&mut section, "why", mistakes, Field::text);
    let link = optional(&mut section, "link", mistakes, Field::text);
    section.close(mistakes);
    Some(AdvisoryUntil {
        id: id?,
        until: until?,
        why: why?,
        link: link?,
        at,
    })
}
