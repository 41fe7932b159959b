//! The table `[rego]` of schema 1.

use super::{PolicyError, mistakes::Mistakes, reader::Field};
use crate::rego::{MAX_MODULE_BYTES, RegoModule};

pub(super) fn read(field: Field<'_>, mistakes: &mut Mistakes<'_>) -> Option<RegoModule> {
    let mut section = field.section(mistakes)?;
    let module = section.read("module", mistakes, module);
    section.close(mistakes);
    module
}

fn module(field: Field<'_>, mistakes: &mut Mistakes<'_>) -> Option<RegoModule> {
    let at = field.at;
    let text = field.document(MAX_MODULE_BYTES, mistakes)?;
    match RegoModule::parse(&text) {
        Ok(module) => Some(module),
        Err(message) => {
            mistakes.note(at, |at| PolicyError::Rego { at, message });
            None
        }
    }
}
