//! The tables `[[exceptions]]` of schema 1.

use super::{
    PolicyError,
    mistakes::Mistakes,
    reader::{Field, Section},
    schema::{allow_list, optional},
};
use crate::{AllowList, Exception, HardwareId, exceptions::MAX_EXCEPTION_SECONDS, remedy};
use attestation::UnixTime;

/// None stands there twice.
pub(super) fn read(field: Field<'_>, mistakes: &mut Mistakes<'_>) -> Option<AllowList<Exception>> {
    allow_list(field, mistakes, exception, Exception::eq)
}

fn exception(field: Field<'_>, mistakes: &mut Mistakes<'_>) -> Option<Exception> {
    let mut section = field.section(mistakes)?;
    let code = section.read("code", mistakes, waivable_code);
    let rule = optional(&mut section, "rule", mistakes, Field::text);
    let hardware = optional(&mut section, "hardware", mistakes, hardware);
    let who = section.read("who", mistakes, Field::text);
    let why = section.read("why", mistakes, Field::text);
    let from = section.read("from", mistakes, Field::time);
    let until = until(&mut section, from, mistakes);
    section.close(mistakes);
    Some(Exception {
        code: code?,
        rule: rule?,
        hardware: hardware?,
        who: who?,
        why: why?,
        from: from?,
        until: until?,
    })
}

/// What every policy demands has no exception.
fn waivable_code(field: Field<'_>, mistakes: &mut Mistakes<'_>) -> Option<&'static str> {
    let expected =
        "the code of a reason that an exception can waive, such as \"policy.snp.minimum_tcb\"";
    field.parsed(expected, mistakes, remedy::waivable)
}

fn hardware(field: Field<'_>, mistakes: &mut Mistakes<'_>) -> Option<HardwareId> {
    let expected =
        "`snp:` and 128, `tdx:` and 32 or `nvidia:` and 16 hexadecimal digits, not all zero";
    field.parsed(expected, mistakes, HardwareId::parse)
}

/// Later than `from`, by a year at most.
fn until(
    section: &mut Section<'_>,
    from: Option<UnixTime>,
    mistakes: &mut Mistakes<'_>,
) -> Option<UnixTime> {
    let field = section.required("until", mistakes)?;
    let (offset, path) = (field.at, field.path.clone());
    let until = field.time(mistakes)?;
    let from = from?;
    if until <= from {
        let other = "`from`, which is not earlier";
        mistakes.note(offset, |at| PolicyError::Conflict {
            at,
            field: path,
            other,
        });
        return None;
    }
    if until.since(from) > MAX_EXCEPTION_SECONDS {
        let expected = "at most a year after `from`".to_owned();
        mistakes.note(offset, |at| PolicyError::Value {
            at,
            field: path,
            expected,
        });
        return None;
    }
    Some(until)
}
