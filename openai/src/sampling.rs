//! Sampling parameters. Those that a receipt states are in its units: what is sampled with is exactly what is signed. The others are
//! replayed from the request itself.

use super::{ApiError, fields::Fields, logit_bias::take_logit_bias};
use aws_lc_rs::rand;

/// How tokens are chosen. No Debug: a bias tells of the prompt.
pub(crate) struct Sampling {
    pub(crate) stated: Stated,
    /// Whether the request named its seed.
    pub(crate) seed_is_named: bool,
    top_k: u32,
    min_p: f32,
    frequency_penalty: f32,
    presence_penalty: f32,
    logit_bias: Vec<(u32, f32)>,
}

/// Temperature and top-p in thousandths, and the seed: what a receipt states.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Stated {
    /// Temperature in thousandths.
    pub temperature_milli: u32,
    /// Nucleus in thousandths.
    pub top_p_milli: u32,
    /// Seed of choice 0.
    pub seed: u64,
}

impl Sampling {
    /// Takes `temperature`, `top_p`, `seed`, `frequency_penalty`, `presence_penalty`, `logit_bias` and vLLM's `top_k` and `min_p`.
    pub(crate) fn take(fields: &mut Fields<'_>) -> Result<Self, ApiError> {
        let seed = take_seed(fields)?;
        Ok(Self {
            stated: Stated::take(fields, seed)?,
            seed_is_named: seed.is_some(),
            top_k: take_top_k(fields)?,
            min_p: take_within(fields, "min_p", (0.0, 1.0))?,
            frequency_penalty: take_within(fields, "frequency_penalty", (-2.0, 2.0))?,
            presence_penalty: take_within(fields, "presence_penalty", (-2.0, 2.0))?,
            logit_bias: take_logit_bias(fields)?,
        })
    }

    /// What the engine gets for choice `index`: each has the seed that follows the one before.
    pub(crate) fn for_engine(&self, index: u64) -> engine::Sampling {
        engine::Sampling {
            temperature: fraction(self.stated.temperature_milli),
            top_p: fraction(self.stated.top_p_milli),
            top_k: self.top_k,
            min_p: self.min_p,
            frequency_penalty: self.frequency_penalty,
            presence_penalty: self.presence_penalty,
            logit_bias: self.logit_bias.clone(),
            seed: self.stated.seed.wrapping_add(index),
        }
    }
}

impl Stated {
    /// Takes `temperature` (0 to 2, default 1) and `top_p` (0 to 1, default 1); a seed that was not named is random.
    fn take(fields: &mut Fields<'_>, seed: Option<u64>) -> Result<Self, ApiError> {
        let temperature = fields
            .take("temperature", "a number from 0 to 2")?
            .unwrap_or(1.0);
        let top_p = fields.take("top_p", "a number from 0 to 1")?.unwrap_or(1.0);
        Ok(Self {
            temperature_milli: thousandths(temperature, 2.0)
                .ok_or_else(|| ApiError::invalid("temperature", "a number from 0 to 2"))?,
            top_p_milli: thousandths(top_p, 1.0)
                .ok_or_else(|| ApiError::invalid("top_p", "a number from 0 to 1"))?
                .max(1),
            seed: seed.map_or_else(random_seed, Ok)?,
        })
    }
}

/// `top_k`: 0 and vLLM's -1 are all tokens.
fn take_top_k(fields: &mut Fields<'_>) -> Result<u32, ApiError> {
    let expected = "an integer of 32 bits, at least -1";
    match fields.take::<i32>("top_k", expected)?.unwrap_or(0) {
        -1 => Ok(0),
        k => u32::try_from(k).map_err(|_| ApiError::invalid("top_k", expected)),
    }
}

/// A number from `least` to `most`; 0 where none is given.
fn take_within(
    fields: &mut Fields<'_>,
    name: &'static str,
    (least, most): (f32, f32),
) -> Result<f32, ApiError> {
    let expected = format!("a number from {least} to {most}");
    let value: f32 = fields.take(name, &expected)?.unwrap_or(0.0);
    match (least..=most).contains(&value) {
        true => Ok(value),
        false => Err(ApiError::invalid(name, &expected)),
    }
}

#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "the range was checked: 0 to 2000"
)]
fn thousandths(value: f64, most: f64) -> Option<u32> {
    (0.0..=most)
        .contains(&value)
        .then(|| (value * 1000.0).round() as u32)
}

#[expect(clippy::cast_precision_loss, reason = "at most 2000")]
fn fraction(milli: u32) -> f32 {
    milli as f32 / 1000.0
}

/// OpenAI's seed is a signed 64-bit integer; its bits are the engine's.
fn take_seed(fields: &mut Fields<'_>) -> Result<Option<u64>, ApiError> {
    let given: Option<i64> = fields.take("seed", "an integer of 64 bits")?;
    Ok(given.map(i64::cast_unsigned))
}

/// Below 2^63, so that a client can give it back.
fn random_seed() -> Result<u64, ApiError> {
    let mut bytes = [0; 8];
    rand::fill(&mut bytes).map_err(|_| ApiError::engine_failed())?;
    Ok(u64::from_be_bytes(bytes) >> 1)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn take(body: &str) -> Result<Sampling, ApiError> {
        Sampling::take(&mut Fields::of_body(body.as_bytes()).unwrap())
    }

    #[test]
    fn defaults_to_one_and_a_random_seed() {
        let (first, second) = (take("{}").unwrap(), take("{}").unwrap());
        let (first, second) = (first.stated, second.stated);
        assert_eq!((first.temperature_milli, first.top_p_milli), (1000, 1000));
        assert_ne!(first.seed, second.seed);
    }

    #[test]
    fn what_is_signed_is_what_is_sampled_with() {
        let sampling = take(r#"{"temperature":0.70049,"top_p":0,"seed":-1}"#).unwrap();
        assert_eq!(sampling.stated.temperature_milli, 700);
        assert_eq!(sampling.stated.top_p_milli, 1);
        assert_eq!(sampling.stated.seed, u64::MAX);
        let given = sampling.for_engine(0);
        assert_eq!(
            (given.temperature, given.top_p, given.seed),
            (0.7, 0.001, u64::MAX)
        );
    }

    #[test]
    fn each_choice_has_the_next_seed() {
        let sampling = take(r#"{"seed":-1}"#).unwrap();
        let seeds = [0, 1, 2].map(|index| sampling.for_engine(index).seed);
        assert_eq!(seeds, [u64::MAX, 0, 1]);
    }

    #[test]
    fn everything_else_reaches_the_engine_as_it_is() {
        let body = r#"{"temperature":0,"top_k":40,"min_p":0.05,"frequency_penalty":-2,
            "presence_penalty":1.5,"logit_bias":{"9":3},"seed":1}"#;
        let expected = engine::Sampling {
            temperature: 0.0,
            top_p: 1.0,
            top_k: 40,
            min_p: 0.05,
            frequency_penalty: -2.0,
            presence_penalty: 1.5,
            logit_bias: vec![(9, 3.0)],
            seed: 1,
        };
        assert_eq!(take(body).unwrap().for_engine(0), expected);
        let all = take(r#"{"top_k":-1}"#).unwrap();
        assert_eq!(all.for_engine(0).top_k, 0);
    }

    #[test]
    fn refuses_values_out_of_range() {
        for body in [
            r#"{"temperature":2.1}"#,
            r#"{"temperature":-0.1}"#,
            r#"{"temperature":"hot"}"#,
            r#"{"top_p":1.1}"#,
            r#"{"top_p":-1}"#,
            r#"{"seed":1.5}"#,
            r#"{"seed":9223372036854775808}"#,
            r#"{"top_k":-2}"#,
            r#"{"top_k":0.5}"#,
            r#"{"min_p":1.01}"#,
            r#"{"min_p":-0.1}"#,
            r#"{"frequency_penalty":2.1}"#,
            r#"{"presence_penalty":-2.1}"#,
            r#"{"presence_penalty":"1"}"#,
            r#"{"logit_bias":{"9":101}}"#,
        ] {
            assert_eq!(take(body).err().unwrap().code, "invalid_value", "{body}");
        }
    }
}
