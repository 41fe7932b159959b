//! `gelu(x) = x / 2 * (1 + erf(x / sqrt(2)))` in place; the error function is the crate `libm`'s, plain code that gives the
//! same bits everywhere.

use std::f32::consts::FRAC_1_SQRT_2;

/// Applies to each value.
pub fn gelu(values: &mut [f32]) {
    for x in values {
        *x = 0.5 * *x * (1.0 + libm::erff(*x * FRAC_1_SQRT_2));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn known_values() {
        let mut values = [-3.0, -1.0, -0.5, 0.0, 0.5, 1.0, 3.0];
        let known = [
            -0.004_049_694,
            -0.158_655_25,
            -0.154_268_77,
            0.0,
            0.345_731_23,
            0.841_344_8,
            2.995_950_2,
        ];
        gelu(&mut values);
        for (got, known) in values.into_iter().zip(known) {
            assert!((got - known).abs() < 3e-7, "{got} {known}");
        }
    }
}
