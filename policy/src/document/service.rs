//! The tables `[engine]`, `[aibom]`, `[channel]` and `[limits]` of schema 1: what a node's manifest may say.

use super::{
    PolicyError,
    mistakes::Mistakes,
    reader::Field,
    schema::{named_digests, optional, texts},
};
use crate::{
    aibom::AibomRules,
    channel::{ChannelRules, PADDINGS},
    engine::EngineRules,
    limits::LimitRules,
};

pub(super) fn engine(field: Field<'_>, mistakes: &mut Mistakes<'_>) -> Option<EngineRules> {
    let at = (field.at, "engine.modes, engine.kernels or engine.isa");
    let mut engine = field.section(mistakes)?;
    let modes = optional(&mut engine, "modes", mistakes, texts);
    let kernels = optional(&mut engine, "kernels", mistakes, named_digests);
    let isa = optional(&mut engine, "isa", mistakes, texts);
    engine.close(mistakes);
    let (modes, kernels, isa) = (modes?, kernels?, isa?);
    let is_empty = modes.is_none() && kernels.is_none() && isa.is_none();
    not_empty(is_empty, at, mistakes)?;
    Some(EngineRules {
        modes,
        kernels,
        isa,
    })
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
