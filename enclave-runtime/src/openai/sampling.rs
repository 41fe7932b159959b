//! Sampling parameters, in the units in which a receipt states them: what is sampled with is exactly what is signed.

use super::{ApiError, fields::Fields};
use aws_lc_rs::rand;

/// Temperature and top-p in thousandths, and the seed.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Sampling {
    pub(crate) temperature_milli: u32,
    pub(crate) top_p_milli: u32,
    pub(crate) seed: u64,
}

impl Sampling {
    /// Takes `temperature` (0 to 2, default 1), `top_p` (0 to 1, default 1) and `seed` (default: random).
    pub(crate) fn take(fields: &mut Fields<'_>) -> Result<Self, ApiError> {
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
            seed: seed(fields)?,
        })
    }

    /// What the engine gets.
    pub(crate) fn for_engine(self) -> engine::Sampling {
        engine::Sampling {
            temperature: fraction(self.temperature_milli),
            top_p: fraction(self.top_p_milli),
            seed: self.seed,
            ..engine::Sampling::default()
        }
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
fn seed(fields: &mut Fields<'_>) -> Result<u64, ApiError> {
    let given: Option<i64> = fields.take("seed", "an integer of 64 bits")?;
    match given {
        Some(seed) => Ok(seed.cast_unsigned()),
        None => random_seed(),
    }
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
        assert_eq!((first.temperature_milli, first.top_p_milli), (1000, 1000));
        assert_ne!(first.seed, second.seed);
    }

    #[test]
    fn what_is_signed_is_what_is_sampled_with() {
        let sampling = take(r#"{"temperature":0.70049,"top_p":0,"seed":-1}"#).unwrap();
        assert_eq!(sampling.temperature_milli, 700);
        assert_eq!(sampling.top_p_milli, 1);
        assert_eq!(sampling.seed, u64::MAX);
        let given = sampling.for_engine();
        assert_eq!(
            (given.temperature, given.top_p, given.seed),
            (0.7, 0.001, u64::MAX)
        );
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
        ] {
            assert_eq!(take(body).unwrap_err().code, "invalid_value", "{body}");
        }
    }
}
