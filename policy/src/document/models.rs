//! The tables `[[models.accepted]]` of schema 1.

use super::{
    PolicyError,
    mistakes::Mistakes,
    reader::{Field, Section},
    schema::{allow_list, optional},
    validity,
};
use crate::{AcceptedModel, AllowList};
use attestation::UnixTime;

/// No digest twice: one model has one approval and one window.
pub(super) fn read(
    field: Field<'_>,
    mistakes: &mut Mistakes<'_>,
) -> Option<AllowList<AcceptedModel>> {
    let mut section = field.section(mistakes)?;
    let list = section.read("accepted", mistakes, |field, m| {
        allow_list(field, m, model, |a, b| a.digest == b.digest)
    });
    section.close(mistakes);
    list
}

fn model(field: Field<'_>, mistakes: &mut Mistakes<'_>) -> Option<AcceptedModel> {
    let mut section = field.section(mistakes)?;
    let name = section.read("name", mistakes, Field::text);
    let digest = section.read("digest", mistakes, Field::digest);
    let tokenizer = optional(&mut section, "tokenizer", mistakes, Field::digest);
    let template = optional(&mut section, "template", mistakes, Field::digest);
    let approved_by = optional(&mut section, "approved_by", mistakes, Field::text);
    let approved = optional(&mut section, "approved", mistakes, Field::time);
    let validity = validity::read(&mut section, mistakes);
    let from = validity.and_then(|validity| validity.from);
    let retired = retired(&mut section, from, mistakes);
    section.close(mistakes);
    Some(AcceptedModel {
        name: name?,
        digest: digest?,
        tokenizer: tokenizer?,
        template: template?,
        approved_by: approved_by?,
        approved: approved?,
        validity: validity?,
        retired: retired?,
    })
}

/// Later than `from`: what is retired before it begins was never accepted.
fn retired(
    section: &mut Section<'_>,
    from: Option<UnixTime>,
    mistakes: &mut Mistakes<'_>,
) -> Option<Option<UnixTime>> {
    let Some(field) = section.optional("retired") else {
        return Some(None);
    };
    let (offset, path) = (field.at, field.path.clone());
    let retired = field.time(mistakes)?;
    if from.is_some_and(|from| retired <= from) {
        let other = "`from`, which is not earlier";
        mistakes.note(offset, |at| PolicyError::Conflict {
            at,
            field: path,
            other,
        });
        return None;
    }
    Some(Some(retired))
}
