//! Accuracy against `f64`, and parity of the paths.

use super::*;

fn arguments() -> impl Iterator<Item = f32> {
    let sweep = (0..1_000_000).map(|i| -90.0 + i as f32 * 180e-6);
    sweep.chain([
        0.0,
        -0.0,
        f32::MIN,
        f32::MAX,
        1e-30,
        -87.0,
        88.0,
        0.346_573_6,
    ])
}

#[test]
fn is_within_two_units_in_the_last_place() {
    for x in arguments().filter(|x| (-87.0..=88.0).contains(x)) {
        let exact = f64::from(x).exp();
        let unit = f64::from((exact as f32).next_up()) - f64::from(exact as f32);
        assert!((f64::from(exp(x)) - exact).abs() <= 2.0 * unit, "exp({x})");
    }
}

#[cfg(target_arch = "x86_64")]
#[test]
fn the_paths_agree() {
    use crate::{Isa, lanes};
    #[target_feature(enable = "avx512f")]
    fn wide(x: &lanes::Lanes) -> lanes::Lanes {
        let mut out = [0.0; 16];
        lanes::avx512::store(&mut out, avx512::exp(lanes::avx512::load(x)));
        out
    }
    if Isa::detect() == Isa::scalar() {
        return;
    }
    let arguments: Vec<f32> = arguments().collect();
    for x in arguments.as_chunks::<16>().0 {
        #[expect(unsafe_code, reason = "launcher")]
        // SAFETY: `Isa::detect` found AVX-512.
        let got = unsafe { wide(x) };
        assert_eq!(got.map(f32::to_bits), x.map(exp).map(f32::to_bits));
    }
}
