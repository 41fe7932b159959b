//! `from` and `until` of an entry.

use super::{
    PolicyError,
    mistakes::Mistakes,
    reader::{Field, Section},
    schema::optional,
};
use crate::Validity;

/// Both are optional; `until` is later than `from`.
pub(super) fn read(section: &mut Section<'_>, mistakes: &mut Mistakes<'_>) -> Option<Validity> {
    let from = optional(section, "from", mistakes, Field::time);
    let Some(until) = section.optional("until") else {
        return Some(Validity {
            from: from?,
            until: None,
        });
    };
    let (offset, path) = (until.at, until.path.clone());
    let (from, until) = (from?, until.time(mistakes)?);
    if from.is_some_and(|from| until <= from) {
        mistakes.note(offset, |at| PolicyError::Conflict {
            at,
            field: path,
            other: "`from`, which is not earlier",
        });
        return None;
    }
    let until = Some(until);
    Some(Validity { from, until })
}
