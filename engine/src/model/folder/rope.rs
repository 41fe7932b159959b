//! The rotary embedding of a `config.json`: base, and how it is stretched to a longer context.

use std::f64::consts::TAU;

use super::super::{ModelError, json::Json};

/// Base and stretching.
pub(super) struct Rope {
    pub(super) base: f32,
    /// What all positions are divided by.
    pub(super) factor: f32,
    llama3: Option<Llama3>,
}

/// Stretching of Llama 3.1: low frequencies are divided by `factor`, high ones are not, those between partly.
#[derive(Clone, Copy)]
struct Llama3 {
    factor: f64,
    low: f64,
    high: f64,
    /// Context before stretching.
    original_tokens: f64,
}

/// Keys of `rope_scaling` and `rope_parameters`.
const READ: [&str; 7] = [
    "factor",
    "high_freq_factor",
    "low_freq_factor",
    "original_max_position_embeddings",
    "rope_theta",
    "rope_type",
    "type",
];

pub(super) fn read(json: &Json) -> Result<Rope, ModelError> {
    let parameters = json.object("rope_parameters")?;
    let scaling = match (parameters, json.object("rope_scaling")?) {
        (Some(_), Some(_)) => return Err(ModelError::Config("rope_scaling")),
        (parameters, scaling) => parameters.or(scaling),
    };
    let base = json.optional_f32("rope_theta")?;
    let Some(scaling) = scaling else {
        return Ok(plain(base));
    };
    scaling.check_known(&READ)?;
    let rope = plain(base.or(scaling.optional_f32("rope_theta")?));
    let kind = scaling.optional_str("rope_type")?;
    match kind.or(scaling.optional_str("type")?) {
        None | Some("default") => Ok(rope),
        Some("linear") => Ok(Rope {
            factor: scaling.f32("factor")?,
            ..rope
        }),
        Some("llama3") => Ok(Rope {
            llama3: Some(llama3(&scaling)?),
            ..rope
        }),
        Some(other) => Err(ModelError::Unsupported(format!("rope_type {other}"))),
    }
}

fn plain(base: Option<f32>) -> Rope {
    Rope {
        base: base.unwrap_or(10_000.0),
        factor: 1.0,
        llama3: None,
    }
}

fn llama3(scaling: &Json) -> Result<Llama3, ModelError> {
    let tokens = scaling.size("original_max_position_embeddings", 1 << 24)?;
    let llama3 = Llama3 {
        factor: scaling.f32("factor")?.into(),
        low: scaling.f32("low_freq_factor")?.into(),
        high: scaling.f32("high_freq_factor")?.into(),
        original_tokens: tokens as f64,
    };
    let possible = llama3.factor >= 1.0 && 0.0 < llama3.low && llama3.low < llama3.high;
    possible
        .then_some(llama3)
        .ok_or(ModelError::Config("rope_scaling"))
}

impl Rope {
    /// What each frequency of a head is divided by, where they differ.
    pub(super) fn factors(&self, head_width: usize) -> Option<Vec<f32>> {
        let llama3 = self.llama3?;
        let base = f64::from(self.base);
        let frequency = |pair| libm::pow(base, -2.0 * pair as f64 / head_width as f64);
        let factor = |pair| llama3.divisor(frequency(pair)) as f32;
        Some((0..head_width / 2).map(factor).collect())
    }
}

impl Llama3 {
    fn divisor(&self, frequency: f64) -> f64 {
        let turns = self.original_tokens * frequency / TAU;
        let kept = ((turns - self.low) / (self.high - self.low)).clamp(0.0, 1.0);
        1.0 / ((1.0 - kept) / self.factor + kept)
    }
}
