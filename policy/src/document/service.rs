//! The tables `[engine]`, `[aibom]`, `[channel]` and `[limits]` of schema 1: what a node's manifest may say.

use super::{
    PolicyError,
    gpu::driver_floor,
    mistakes::Mistakes,
    reader::Field,
    schema::{allow_list, named_digests, optional, texts},
};
use crate::{
    AllowList,
    aibom::AibomRules,
    channel::{ChannelRules, PADDINGS},
    engine::{ARITHMETICS, EngineRules, GpuCodeRules},
    limits::LimitRules,
};
use attestation::manifest::Arithmetic;

pub(super) fn engine(field: Field<'_>, mistakes: &mut Mistakes<'_>) -> Option<EngineRules> {
    let at = (
        field.at,
        "engine.modes, engine.kernels, engine.isa or engine.gpu",
    );
    let mut engine = field.section(mistakes)?;
    let modes = optional(&mut engine, "modes", mistakes, texts);
    let kernels = optional(&mut engine, "kernels", mistakes, named_digests);
    let isa = optional(&mut engine, "isa", mistakes, texts);
    let gpu = optional(&mut engine, "gpu", mistakes, gpu_code);
    engine.close(mistakes);
    let (modes, kernels, isa, gpu) = (modes?, kernels?, isa?, gpu?);
    let is_empty = modes.is_none() && kernels.is_none() && isa.is_none() && gpu.is_none();
    not_empty(is_empty, at, mistakes)?;
    Some(EngineRules {
        modes,
        kernels,
        isa,
        gpu,
    })
}

fn gpu_code(field: Field<'_>, mistakes: &mut Mistakes<'_>) -> Option<GpuCodeRules> {
    let at = (
        field.at,
        "engine.gpu.cubins, engine.gpu.arithmetic or engine.gpu.minimum_driver",
    );
    let mut gpu = field.section(mistakes)?;
    let cubins = optional(&mut gpu, "cubins", mistakes, named_digests);
    let arithmetic = optional(&mut gpu, "arithmetic", mistakes, arithmetics);
    let minimum_driver = optional(&mut gpu, "minimum_driver", mistakes, driver_floor);
    gpu.close(mistakes);
    let (cubins, arithmetic, minimum_driver) = (cubins?, arithmetic?, minimum_driver?);
    let is_empty = cubins.is_none() && arithmetic.is_none() && minimum_driver.is_none();
    not_empty(is_empty, at, mistakes)?;
    Some(GpuCodeRules {
        cubins,
        arithmetic,
        minimum_driver,
    })
}

fn arithmetics(field: Field<'_>, mistakes: &mut Mistakes<'_>) -> Option<AllowList<Arithmetic>> {
    let one = |field: Field<'_>, m: &mut Mistakes<'_>| field.named(&ARITHMETICS, m);
    allow_list(field, mistakes, one, Arithmetic::eq)
}

pub(super) fn aibom(field: Field<'_>, mistakes: &mut Mistakes<'_>) -> Option<AibomRules> {
    let mut aibom = field.section(mistakes)?;
    let required = aibom.read("required", mistakes, Field::boolean);
    let accepted = optional(&mut aibom, "accepted", mistakes, named_digests);
    aibom.close(mistakes);
    Some(AibomRules {
        required: required?,
        accepted: accepted?,
    })
}

pub(super) fn channel(field: Field<'_>, mistakes: &mut Mistakes<'_>) -> Option<ChannelRules> {
    let at = (field.at, "channel.minimum_padding or channel.cache_scopes");
    let mut channel = field.section(mistakes)?;
    let minimum_padding = optional(&mut channel, "minimum_padding", mistakes, |field, m| {
        field.named(&PADDINGS, m)
    });
    let cache_scopes = optional(&mut channel, "cache_scopes", mistakes, texts);
    channel.close(mistakes);
    let (minimum_padding, cache_scopes) = (minimum_padding?, cache_scopes?);
    not_empty(
        minimum_padding.is_none() && cache_scopes.is_none(),
        at,
        mistakes,
    )?;
    Some(ChannelRules {
        minimum_padding,
        cache_scopes,
    })
}

pub(super) fn limits(field: Field<'_>, mistakes: &mut Mistakes<'_>) -> Option<LimitRules> {
    let at = (
        field.at,
        "limits.maximum_context_tokens or limits.maximum_request_bytes",
    );
    let mut limits = field.section(mistakes)?;
    let maximum_context_tokens = optional(&mut limits, "maximum_context_tokens", mistakes, number);
    let maximum_request_bytes = optional(&mut limits, "maximum_request_bytes", mistakes, number);
    limits.close(mistakes);
    let (maximum_context_tokens, maximum_request_bytes) =
        (maximum_context_tokens?, maximum_request_bytes?);
    not_empty(
        maximum_context_tokens.is_none() && maximum_request_bytes.is_none(),
        at,
        mistakes,
    )?;
    Some(LimitRules {
        maximum_context_tokens,
        maximum_request_bytes,
    })
}

fn number(field: Field<'_>, mistakes: &mut Mistakes<'_>) -> Option<u32> {
    u32::try_from(field.integer(1..=u64::from(u32::MAX), mistakes)?).ok()
}

/// A table that asks nothing was meant to ask something.
fn not_empty(
    is_empty: bool,
    (offset, field): (usize, &str),
    mistakes: &mut Mistakes<'_>,
) -> Option<()> {
    if is_empty {
        let field = field.to_owned();
        mistakes.note(offset, |at| PolicyError::MissingField { at, field });
    }
    (!is_empty).then_some(())
}
