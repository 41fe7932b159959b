//! Drivers and firmware: lists, floors, or both.

use super::super::{
    PolicyError,
    mistakes::Mistakes,
    reader::{Field, Section},
    schema::{allow_list, optional},
};
use crate::{
    AllowList,
    gpu::{DriverRules, VbiosRules, VersionFloor, version::Notation},
};

/// `drivers`, `minimum_driver`, or both.
pub(super) fn drivers(gpu: &mut Section<'_>, mistakes: &mut Mistakes<'_>) -> Option<DriverRules> {
    let listed = optional(gpu, "drivers", mistakes, texts);
    let minimum = optional(gpu, "minimum_driver", mistakes, driver_floor);
    if let (Some(None), Some(None)) = (&listed, &minimum) {
        neither(gpu, "gpu.drivers or gpu.minimum_driver", mistakes);
    }
    Some(DriverRules {
        listed: listed?,
        minimum: minimum?,
    })
}

/// `vbios`, `minimum_vbios`, or both; one floor for each line of firmware.
pub(super) fn vbios(gpu: &mut Section<'_>, mistakes: &mut Mistakes<'_>) -> Option<VbiosRules> {
    let listed = optional(gpu, "vbios", mistakes, texts);
    let minimum = optional(gpu, "minimum_vbios", mistakes, floors);
    if let (Some(None), Some(None)) = (&listed, &minimum) {
        neither(gpu, "gpu.vbios or gpu.minimum_vbios", mistakes);
    }
    Some(VbiosRules {
        listed: listed?,
        minimum: minimum?,
    })
}

fn neither(gpu: &Section<'_>, fields: &str, mistakes: &mut Mistakes<'_>) {
    let field = fields.to_owned();
    mistakes.note(gpu.at, |at| PolicyError::MissingField { at, field });
}

/// Texts, none of them twice.
pub(super) fn texts(field: Field<'_>, mistakes: &mut Mistakes<'_>) -> Option<AllowList<String>> {
    let text = |field: Field<'_>, m: &mut Mistakes<'_>| field.text(m);
    allow_list(field, mistakes, text, String::eq)
}

fn floors(field: Field<'_>, mistakes: &mut Mistakes<'_>) -> Option<AllowList<VersionFloor>> {
    let one = |field: Field<'_>, m: &mut Mistakes<'_>| floor(field, Notation::Hexadecimal, m);
    allow_list(field, mistakes, one, |a, b| a.is_of_one_line(b.as_str()))
}

pub(in crate::document) fn driver_floor(
    field: Field<'_>,
    mistakes: &mut Mistakes<'_>,
) -> Option<VersionFloor> {
    floor(field, Notation::Decimal, mistakes)
}

fn floor(
    field: Field<'_>,
    notation: Notation,
    mistakes: &mut Mistakes<'_>,
) -> Option<VersionFloor> {
    let expected = match notation {
        Notation::Decimal => "a version such as 570.124.06",
        Notation::Hexadecimal => "a version such as 96.00.9F.00.01",
    };
    let parse = |text: &str| VersionFloor::parse(text, notation);
    parsed(field, parse, expected, mistakes)
}

/// A text that `parse` takes.
pub(super) fn parsed<T>(
    field: Field<'_>,
    parse: impl Fn(&str) -> Option<T>,
    expected: &str,
    mistakes: &mut Mistakes<'_>,
) -> Option<T> {
    let (offset, path) = (field.at, field.path.clone());
    let value = parse(&field.text(mistakes)?);
    if value.is_none() {
        mistakes.note(offset, |at| PolicyError::Value {
            at,
            field: path,
            expected: expected.to_owned(),
        });
    }
    value
}
