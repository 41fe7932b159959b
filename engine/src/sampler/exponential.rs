//! The exponential function with the same bits on every machine: no libm, no fused operations.

/// Below this the result is less than 1e-304: nothing.
const SMALLEST: f64 = -700.0;
/// ln 2 in two parts; the first has 21 zero bits at its end, so that its product with a small integer is exact.
const LN_2_HIGH: f64 = 0.693_147_180_369_123_8;
const LN_2_LOW: f64 = 1.908_214_929_270_587_7e-10;
/// 1/n! for n = 12 down to 0.
const COEFFICIENTS: [f64; 13] = [
    1.0 / 479_001_600.0,
    1.0 / 39_916_800.0,
    1.0 / 3_628_800.0,
    1.0 / 362_880.0,
    1.0 / 40_320.0,
    1.0 / 5_040.0,
    1.0 / 720.0,
    1.0 / 120.0,
    1.0 / 24.0,
    1.0 / 6.0,
    0.5,
    1.0,
    1.0,
];

/// e to the power of `x` for `x` at most 0, within 4 units in the last place; 0 below -700.
pub(super) fn of_non_positive(x: f64) -> f64 {
    if x < SMALLEST {
        return 0.0;
    }
    let power = (x * std::f64::consts::LOG2_E).round_ties_even();
    let rest = (x - power * LN_2_HIGH) - power * LN_2_LOW;
    let fraction = COEFFICIENTS.iter().fold(0.0, |sum, c| sum * rest + c);
    fraction * power_of_two(power as i64)
}

/// 2 to the power of `n`, for `n` from -1022 to 1023.
fn power_of_two(n: i64) -> f64 {
    let biased = n.saturating_add(1023).clamp(0, 2046);
    f64::from_bits(biased.unsigned_abs() << 52)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn agrees_with_the_platform() {
        for step in 0..70_000 {
            let x = -f64::from(step) * 0.009_99;
            let (ours, theirs) = (of_non_positive(x), x.exp());
            assert!(
                (ours - theirs).abs() <= 4.0 * f64::EPSILON * theirs,
                "{x}: {ours} {theirs}"
            );
        }
    }

    #[test]
    fn has_fixed_bits() {
        assert_eq!(of_non_positive(0.0).to_bits(), 1.0f64.to_bits());
        assert_eq!(of_non_positive(-1.0).to_bits(), 0x3fd7_8b56_362c_ef38);
        assert_eq!(of_non_positive(-701.0), 0.0);
        assert_eq!(of_non_positive(f64::NEG_INFINITY), 0.0);
    }
}
