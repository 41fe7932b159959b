//! The table `[gpu]` of schema 1.

mod versions;

pub(super) use versions::driver_floor;

use super::{
    PolicyError,
    mistakes::Mistakes,
    reader::{Field, Section},
    schema::{allow_list, optional},
};
use crate::{
    AllowList,
    gpu::{ARCHITECTURES, Board, GpuRules, MODES, TOPOLOGIES, Topology},
};
use attestation::nvidia::{Architecture, Feature};

/// More devices than any machine has.
const MAX_DEVICES: u64 = 32;

pub(super) fn read(field: Field<'_>, mistakes: &mut Mistakes<'_>) -> Option<GpuRules> {
    let mut gpu = field.section(mistakes)?;
    let count = gpu.read("count", mistakes, |field, m| devices(field, 1, m));
    let switches = optional(&mut gpu, "switches", mistakes, |field, m| {
        devices(field, 0, m)
    });
    let switches = switches.map(Option::unwrap_or_default);
    let topology = topology(&mut gpu, switches, mistakes);
    let architectures = gpu.read("architectures", mistakes, architectures);
    let chips = optional(&mut gpu, "chips", mistakes, versions::texts);
    let boards = optional(&mut gpu, "boards", mistakes, boards);
    let modes = gpu.read("modes", mistakes, modes);
    let drivers = versions::drivers(&mut gpu, mistakes);
    let vbios = versions::vbios(&mut gpu, mistakes);
    gpu.close(mistakes);
    Some(GpuRules {
        count: count?,
        switches: switches?,
        topology: topology?,
        architectures: architectures?,
        chips: chips?,
        boards: boards?,
        modes: modes?,
        drivers: drivers?,
        vbios: vbios?,
    })
}

fn devices(field: Field<'_>, least: u64, mistakes: &mut Mistakes<'_>) -> Option<usize> {
    usize::try_from(field.integer(least..=MAX_DEVICES, mistakes)?).ok()
}

/// `topology`: only links to switches prove that a machine is whole.
fn topology(
    gpu: &mut Section<'_>,
    switches: Option<usize>,
    mistakes: &mut Mistakes<'_>,
) -> Option<Topology> {
    let Some(field) = gpu.optional("topology") else {
        return Some(Topology::default());
    };
    let (offset, path) = (field.at, field.path.clone());
    let topology = field.named(&TOPOLOGIES, mistakes)?;
    if topology == Topology::Whole && switches == Some(0) {
        mistakes.note(offset, |at| PolicyError::Conflict {
            at,
            field: path,
            other: "`gpu.switches`, which accepts no switch",
        });
    }
    Some(topology)
}

fn architectures(field: Field<'_>, mistakes: &mut Mistakes<'_>) -> Option<AllowList<Architecture>> {
    let one = |field: Field<'_>, m: &mut Mistakes<'_>| field.named(&ARCHITECTURES, m);
    allow_list(field, mistakes, one, Architecture::eq)
}

fn modes(field: Field<'_>, mistakes: &mut Mistakes<'_>) -> Option<AllowList<Feature>> {
    let one = |field: Field<'_>, m: &mut Mistakes<'_>| field.named(&MODES, m);
    allow_list(field, mistakes, one, Feature::eq)
}

fn boards(field: Field<'_>, mistakes: &mut Mistakes<'_>) -> Option<AllowList<Board>> {
    let expected = "PROJECT_PROJECTSKU_CHIPSKU, such as 1010_0200_882";
    let one =
        |field: Field<'_>, m: &mut Mistakes<'_>| versions::parsed(field, Board::parse, expected, m);
    allow_list(field, mistakes, one, Board::eq)
}
