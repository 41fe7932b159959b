//! The exponential function with the same bits on every machine: no libm, no fused operations, no branches that keep a loop from running
//! over several numbers at once.

/// Below this the result is less than 1e-304: nothing.
const SMALLEST: f64 = -700.0;
/// ln 2 in two parts; the first has 21 zero bits at its end, so that its product with a small integer is exact.
const LN_2_HIGH: f64 = 0.693_147_180_369_123_8;
const LN_2_LOW: f64 = 1.908_214_929_270_587_7e-10;
/// 1.5 * 2^52: a number of which the last bits count ones, so that adding it rounds to an integer (ties to even) and shows it there.
const ROUNDING: f64 = 6_755_399_441_055_744.0;
/// 1/n! for n = 9 down to 0.
const COEFFICIENTS: [f64; 10] = [
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

/// e to the power of `x` for `x` at most 0, within one part in 10^11; 0 below -700.
#[inline]
pub(crate) fn of_non_positive(x: f64) -> f64 {
    let shifted = x * std::f64::consts::LOG2_E + ROUNDING;
    let power = shifted - ROUNDING;
    let rest = (x - power * LN_2_HIGH) - power * LN_2_LOW;
    let fraction = COEFFICIENTS.iter().fold(0.0, |sum, c| sum * rest + c);
    let scaled = fraction * power_of_two(shifted);
    if x < SMALLEST { 0.0 } else { scaled }
}

/// 2 to the power of the integer in the last bits of `shifted`, which is from -1022 to 1023.
#[inline]
fn power_of_two(shifted: f64) -> f64 {
    f64::from_bits(shifted.to_bits().wrapping_add(1023) << 52)
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
                (ours - theirs).abs() <= 1e-11 * theirs,
                "{x}: {ours} {theirs}"
            );
        }
    }

    #[test]
    fn has_fixed_bits() {
        assert_eq!(of_non_positive(0.0).to_bits(), 1.0f64.to_bits());
        assert_eq!(of_non_positive(-1.0).to_bits(), 0x3fd78b56362ca968);
        assert_eq!(of_non_positive(-701.0), 0.0);
        assert_eq!(of_non_positive(f64::NEG_INFINITY), 0.0);
    }
}
