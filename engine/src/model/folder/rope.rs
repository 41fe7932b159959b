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

/// Most that a context is stretched by.
const MAX_FACTOR: f32 = 1e4;

/// Keys that every kind of stretching has.
const COMMON: [&str; 3] = ["rope_theta", "rope_type", "type"];
const LLAMA3: [&str; 4] = [
    "factor",
    "high_freq_factor",
    "low_freq_factor",
    "original_max_position_embeddings",
];

/// Newer files have all of it in `rope_parameters`, older ones the base beside `rope_scaling`.
pub(super) fn read(json: &Json) -> Result<Rope, ModelError> {
    let own = json.optional_f32("rope_theta")?;
    match (
        json.object("rope_parameters")?,
        json.object("rope_scaling")?,
    ) {
        (Some(_), Some(_)) => Err(ModelError::Config("rope_scaling")),
        (None, None) => Ok(plain(own)),
        (Some(parameters), None) => {
            let kind = kind(&parameters)?.unwrap_or("default");
            stretched(&parameters, kind, base(own, &parameters)?)
        }
        (None, Some(scaling)) => {
            let kind = kind(&scaling)?.ok_or(ModelError::Config("rope_scaling"))?;
            stretched(&scaling, kind, base(own, &scaling)?)
        }
    }
}

/// The base, which stands in one place, or is the same in both.
fn base(own: Option<f32>, scaling: &Json) -> Result<Option<f32>, ModelError> {
    match (own, scaling.optional_f32("rope_theta")?) {
        (Some(own), Some(other)) if own != other => Err(ModelError::Config("rope_theta")),
        (own, other) => Ok(own.or(other)),
    }
}

/// The kind of stretching, under the key of newer files or of older ones.
fn kind(scaling: &Json) -> Result<Option<&str>, ModelError> {
    let older = scaling.optional_str("type")?;
    match scaling.optional_str("rope_type")? {
        Some(newer) if older.is_some_and(|older| older != newer) => {
            Err(ModelError::Config("rope_type"))
        }
        newer => Ok(newer.or(older)),
    }
}

/// The rotary embedding of this kind; a key that the kind does not read is refused.
fn stretched(scaling: &Json, kind: &str, base: Option<f32>) -> Result<Rope, ModelError> {
    let known = |keys: &[&str]| scaling.check_known(&[&COMMON, keys].concat());
    let rope = plain(base);
    match kind {
        "default" => known(&[]).map(|()| rope),
        "linear" => {
            known(&["factor"])?;
            let factor = factor(scaling)?;
            Ok(Rope { factor, ..rope })
        }
        "llama3" => {
            known(&LLAMA3)?;
            let llama3 = Some(llama3(scaling)?);
            Ok(Rope { llama3, ..rope })
        }
        other => Err(ModelError::Unsupported(format!("rope_type {other}"))),
    }
}

/// How many times longer the context becomes.
fn factor(scaling: &Json) -> Result<f32, ModelError> {
    let factor = Some(scaling.f32("factor")?);
    factor
        .filter(|factor| (1.0..=MAX_FACTOR).contains(factor))
        .ok_or(ModelError::Config("factor"))
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
        factor: factor(scaling)?.into(),
        low: scaling.f32("low_freq_factor")?.into(),
        high: scaling.f32("high_freq_factor")?.into(),
        original_tokens: tokens as f64,
    };
    let possible = 0.0 < llama3.low && llama3.low < llama3.high && llama3.high.is_finite();
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

#[cfg(test)]
mod tests {
    use super::*;

    fn of(config: &str) -> Result<Rope, ModelError> {
        read(&Json::parse(config.as_bytes())?)
    }

    /// Computed apart from this program, by the formula of `ROPE_INIT_FUNCTIONS["llama3"]` in double precision, for the values of Llama 3.2 1B.
    #[test]
    fn llama3_divides_low_frequencies_only() -> Result<(), ModelError> {
        const EXPECTED: [f64; 32] = [
            1.0,
            1.0,
            1.0,
            1.0,
            1.0,
            1.0,
            1.0,
            1.0,
            1.0,
            1.0,
            1.0,
            1.0,
            1.0,
            1.0,
            1.0,
            1.651329245764,
            3.292262102941,
            9.666728978753,
            32.0,
            32.0,
            32.0,
            32.0,
            32.0,
            32.0,
            32.0,
            32.0,
            32.0,
            32.0,
            32.0,
            32.0,
            32.0,
            32.0,
        ];
        let rope = of(
            r#"{"rope_theta": 500000.0, "rope_scaling": {"factor": 32.0, "high_freq_factor": 4.0, "low_freq_factor": 1.0,
                "original_max_position_embeddings": 8192, "rope_type": "llama3"}}"#,
        )?;
        let factors = rope.factors(64).unwrap_or_default();
        assert_eq!(factors.len(), EXPECTED.len());
        for (pair, (factor, expected)) in factors.into_iter().zip(EXPECTED).enumerate() {
            let difference = (f64::from(factor) / expected - 1.0).abs();
            assert!(difference < 1e-6, "{pair}: {factor}, not {expected}");
        }
        assert_eq!((rope.base, rope.factor), (500_000.0, 1.0));
        Ok(())
    }

    #[test]
    fn base_and_factor_are_those_of_the_file() -> Result<(), ModelError> {
        for (config, expected) in [
            ("{}", (1e4, 1.0)),
            (r#"{"rope_theta": 5e4, "rope_scaling": null}"#, (5e4, 1.0)),
            (r#"{"rope_parameters": {"rope_theta": 7e5}}"#, (7e5, 1.0)),
            (
                r#"{"rope_theta": 7e5, "rope_parameters": {"rope_theta": 7e5, "rope_type": "default"}}"#,
                (7e5, 1.0),
            ),
            (
                r#"{"rope_parameters": {"rope_theta": 7e5, "rope_type": "linear", "factor": 2}}"#,
                (7e5, 2.0),
            ),
            (
                r#"{"rope_theta": 5e4, "rope_scaling": {"type": "linear", "rope_type": "linear", "factor": 1e4}}"#,
                (5e4, 1e4),
            ),
        ] {
            let rope = of(config)?;
            assert_eq!((rope.base, rope.factor), expected, "{config}");
            assert_eq!(rope.factors(64), None);
        }
        Ok(())
    }
}
