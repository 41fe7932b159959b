//! The table `[gpu]` of schema 1.

use super::{mistakes::Mistakes, reader::Field, schema::allow_list};
use crate::{
    AllowList,
    gpu::{ARCHITECTURES, GpuRules, MODES},
};
use attestation::nvidia::{Architecture, Feature};

/// More devices than any machine has.
const MAX_DEVICES: u64 = 32;

pub(super) fn read(field: Field<'_>, mistakes: &mut Mistakes<'_>) -> Option<GpuRules> {
    let mut gpu = field.section(mistakes)?;
    let count = gpu.read("count", mistakes, |field, m| devices(field, 1, m));
    let switches = match gpu.optional("switches") {
        None => Some(0),
        Some(field) => devices(field, 0, mistakes),
    };
    let architectures = gpu.read("architectures", mistakes, architectures);
    let modes = gpu.read("modes", mistakes, modes);
    let drivers = gpu.read("drivers", mistakes, versions);
    let vbios = gpu.read("vbios", mistakes, versions);
    gpu.close(mistakes);
    Some(GpuRules {
        count: count?,
        switches: switches?,
        architectures: architectures?,
        modes: modes?,
        drivers: drivers?,
        vbios: vbios?,
    })
}

fn devices(field: Field<'_>, least: u64, mistakes: &mut Mistakes<'_>) -> Option<usize> {
    usize::try_from(field.integer(least..=MAX_DEVICES, mistakes)?).ok()
}

fn architectures(field: Field<'_>, mistakes: &mut Mistakes<'_>) -> Option<AllowList<Architecture>> {
    let one = |field: Field<'_>, m: &mut Mistakes<'_>| field.named(&ARCHITECTURES, m);
    allow_list(field, mistakes, one, Architecture::eq)
}

fn modes(field: Field<'_>, mistakes: &mut Mistakes<'_>) -> Option<AllowList<Feature>> {
    let one = |field: Field<'_>, m: &mut Mistakes<'_>| field.named(&MODES, m);
    allow_list(field, mistakes, one, Feature::eq)
}

fn versions(field: Field<'_>, mistakes: &mut Mistakes<'_>) -> Option<AllowList<String>> {
    let text = |field: Field<'_>, m: &mut Mistakes<'_>| field.text(m);
    allow_list(field, mistakes, text, String::eq)
}
