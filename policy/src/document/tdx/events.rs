//! `[[tdx.events]]`.

use super::super::{mistakes::Mistakes, reader::Field, schema::allow_list};
use crate::{
    AllowList,
    tdx::{EventRule, PRESENCES},
};

/// One rule for each event.
pub(super) fn read(field: Field<'_>, mistakes: &mut Mistakes<'_>) -> Option<AllowList<EventRule>> {
    let same = |a: &EventRule, b: &EventRule| (a.rtmr, a.digest) == (b.rtmr, b.digest);
    allow_list(field, mistakes, event, same)
}

fn event(field: Field<'_>, mistakes: &mut Mistakes<'_>) -> Option<EventRule> {
    let at = mistakes.position(field.at);
    let mut section = field.section(mistakes)?;
    let name = section.read("name", mistakes, Field::text);
    let rtmr = section.read("rtmr", mistakes, |field, m| {
        usize::try_from(field.integer(0..=3, m)?).ok()
    });
    let digest = section.read("digest", mistakes, Field::digest);
    let presence = section.read("rule", mistakes, |field, m| field.named(&PRESENCES, m));
    section.close(mistakes);
    Some(EventRule {
        name: name?,
        rtmr: rtmr?,
        digest: digest?,
        presence: presence?,
        at,
    })
}
