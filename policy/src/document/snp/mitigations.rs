//! The table `[snp.required_mitigations]`.

use super::super::{
    PolicyError,
    mistakes::Mistakes,
    reader::{Field, Section},
    schema::{allow_list, optional},
};
use crate::snp::MitigationRules;

/// Lists of bits for the vector of the launch and the current one; at least one of them.
pub(super) fn read(snp: &mut Section<'_>, mistakes: &mut Mistakes<'_>) -> Option<MitigationRules> {
    let Some(field) = snp.optional("required_mitigations") else {
        return Some(MitigationRules::default());
    };
    let (offset, path) = (field.at, field.path.clone());
    let mut section = field.section(mistakes)?;
    let launch = optional(&mut section, "launch", mistakes, bits);
    let current = optional(&mut section, "current", mistakes, bits);
    section.close(mistakes);
    if let (Some(None), Some(None)) = (launch, current) {
        let field = format!("{path}.launch or current");
        mistakes.note(offset, |at| PolicyError::MissingField { at, field });
    }
    Some(MitigationRules {
        launch: launch?.unwrap_or_default(),
        current: current?.unwrap_or_default(),
    })
}

fn bits(field: Field<'_>, mistakes: &mut Mistakes<'_>) -> Option<u64> {
    let mask = |field: Field<'_>, m: &mut Mistakes<'_>| Some(1_u64 << field.integer(0..=63, m)?);
    let masks = allow_list(field, mistakes, mask, u64::eq)?;
    Some(masks.iter().fold(0, |bits, mask| bits | mask))
}
