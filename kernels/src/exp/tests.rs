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
    use crate::{
        Isa,
        isa::Path,
        lanes::{self, Lanes},
    };
    #[target_feature(enable = "avx2,fma")]
    fn eights(x: &Lanes, out: &mut Lanes) {
        for (x, out) in x.as_chunks().0.iter().zip(out.as_chunks_mut().0) {
            lanes::avx2::store(out, avx2::exp(lanes::avx2::load(x)));
        }
    }
    #[target_feature(enable = "avx512f")]
    fn sixteen(x: &Lanes, out: &mut Lanes) {
        lanes::avx512::store(out, avx512::exp(lanes::avx512::load(x)));
    }
    let arguments: Vec<f32> = arguments().collect();
    for isa in Isa::all_here() {
        for x in arguments.as_chunks::<16>().0 {
            let mut got = x.map(exp);
            #[expect(unsafe_code, reason = "launchers")]
            // SAFETY: an `Isa` with such a path exists only where its instructions were detected.
            match isa.path() {
                Path::Scalar => {}
                Path::Avx2 => unsafe { eights(x, &mut got) },
                Path::Avx512Vnni => unsafe { sixteen(x, &mut got) },
            }
            assert_eq!(got.map(f32::to_bits), x.map(exp).map(f32::to_bits));
        }
    }
}
