//! Schema 1 of the inventory (docs/policy-documents.md, "The inventory").

use super::{Placement, entries::Entries};
use crate::{
    HardwareId, PolicyError,
    document::{
        head::Head,
        mistakes::Mistakes,
        reader::{Field, Section},
    },
};
use attestation::UnixTime;
use std::{collections::hash_map::Entry, hash::BuildHasherDefault, sync::Arc};

/// The inventory but for its digest.
pub(super) fn read(
    document: &mut Section<'_>,
    mistakes: &mut Mistakes<'_>,
) -> Option<(Head, Entries)> {
    let head = Head::read(document, mistakes);
    let entries = document.read("hardware", mistakes, hardware);
    Some((head?, entries?))
}

/// `[[hardware]]`: no identifier twice.
fn hardware(field: Field<'_>, mistakes: &mut Mistakes<'_>) -> Option<Entries> {
    let entries = field.entries(mistakes)?;
    let count = entries.len();
    let mut placements = Entries::with_capacity_and_hasher(count, BuildHasherDefault::default());
    for entry in entries {
        let offset = entry.at;
        let Some((path, id, placement)) = placement(entry, mistakes) else {
            continue;
        };
        match placements.entry(id) {
            Entry::Vacant(vacant) => {
                vacant.insert(Arc::new(placement));
            }
            Entry::Occupied(_) => {
                mistakes.note(offset, |at| PolicyError::Duplicate { at, field: path });
            }
        }
    }
    (placements.len() == count).then_some(placements)
}

fn placement(
    field: Field<'_>,
    mistakes: &mut Mistakes<'_>,
) -> Option<(String, HardwareId, Placement)> {
    let path = field.path.clone();
    let mut section = field.section(mistakes)?;
    let id = section.read("id", mistakes, hardware_id);
    let owner = section.read("owner", mistakes, Field::text);
    let site = section.read("site", mistakes, Field::text);
    let country = section.read("country", mistakes, country);
    let valid_from = section.read("valid_from", mistakes, Field::time);
    let valid_until = valid_until(&mut section, valid_from, mistakes);
    let custody = match section.optional("custody") {
        None => Some(None),
        Some(field) => field.text(mistakes).map(Some),
    };
    section.close(mistakes);
    let placement = Placement {
        owner: owner?,
        site: site?,
        country: country?,
        valid_from: valid_from?,
        valid_until: valid_until?,
        custody: custody?,
    };
    Some((path, id?, placement))
}

pub(crate) fn hardware_id(field: Field<'_>, mistakes: &mut Mistakes<'_>) -> Option<HardwareId> {
    let expected =
        "`snp:` and 128, `tdx:` and 32 or `nvidia:` and 16 hexadecimal digits, not all zero";
    field.parsed(expected, mistakes, HardwareId::parse)
}

fn country(field: Field<'_>, mistakes: &mut Mistakes<'_>) -> Option<String> {
    let expected = "two upper-case letters of ISO 3166-1, such as \"DE\"";
    field.parsed(expected, mistakes, |text| {
        let is_code = text.len() == 2 && text.bytes().all(|byte| byte.is_ascii_uppercase());
        is_code.then(|| text.to_owned())
    })
}

/// Absent, or later than `valid_from`.
fn valid_until(
    section: &mut Section<'_>,
    valid_from: Option<UnixTime>,
    mistakes: &mut Mistakes<'_>,
) -> Option<Option<UnixTime>> {
    let Some(field) = section.optional("valid_until") else {
        return Some(None);
    };
    let (offset, field_name) = (field.at, field.path.clone());
    let until = field.time(mistakes)?;
    if until <= valid_from? {
        mistakes.note(offset, |at| PolicyError::Conflict {
            at,
            field: field_name,
            other: "`valid_from`, which is not earlier",
        });
        return None;
    }
    Some(Some(until))
}
