//! The table `[tdx.xfam]`.

use super::super::{
    PolicyError,
    mistakes::Mistakes,
    reader::Field,
    schema::{allow_list, optional},
};
use crate::tdx::{XfamRules, xfam::XFAM_BITS};

/// `required` and `allowed`, at least one of them; no feature in both.
pub(super) fn read(field: Field<'_>, mistakes: &mut Mistakes<'_>) -> Option<XfamRules> {
    let (offset, path) = (field.at, field.path.clone());
    let mut section = field.section(mistakes)?;
    let required = optional(&mut section, "required", mistakes, features);
    let allowed = optional(&mut section, "allowed", mistakes, features);
    section.close(mistakes);
    let (required, allowed) = (required?, allowed?);
    if required.is_none() && allowed.is_none() {
        let field = format!("{path}.required or allowed");
        mistakes.note(offset, |at| PolicyError::MissingField { at, field });
    }
    let (required, allowed) = (required.unwrap_or_default(), allowed.unwrap_or_default());
    if required & allowed != 0 {
        mistakes.note(offset, |at| PolicyError::Conflict {
            at,
            field: path,
            other: "itself: a feature is both required and allowed",
        });
    }
    Some(XfamRules { required, allowed })
}

fn features(field: Field<'_>, mistakes: &mut Mistakes<'_>) -> Option<u64> {
    let feature = |field: Field<'_>, m: &mut Mistakes<'_>| field.named(&XFAM_BITS, m);
    let features = allow_list(field, mistakes, feature, u64::eq)?;
    Some(features.iter().fold(0, |bits, feature| bits | feature))
}
