//! `gelu(gate) * up`, with the tanh approximation of GELU: `g / 2 * (1 + tanh(sqrt(2 / pi) * (g + 0.044715 * g^3)))`.
//!
//! Since `(1 + tanh(u)) / 2 = 1 / (1 + exp(-2u))`, computed as `g / (1 + exp(-(g * (CUBE * g^2 + LINE))))`, the bracket
//! fused.
//!
//! Layout: pairs of panels, `[pair][gate, up][token][16]`; the result takes the gate's place.

use crate::{
    exp::exp,
    isa::{Isa, Path},
    lanes::LANES,
};

/// `2 * sqrt(2 / pi)`.
const LINE: f32 = 1.595_769;
/// That times 0.044715.
const CUBE: f32 = 0.071_354_82;

/// Applies to all pairs of `panels`, whose panels hold `tokens` vectors each.
///
/// # Panics
/// If `panels` is no whole number of pairs.
pub fn gelu_mul(isa: Isa, tokens: usize, panels: &mut [f32]) {
    assert_eq!(panels.len() % (2 * tokens * LANES), 0, "whole pairs");
    for pair in panels.chunks_exact_mut(2 * tokens * LANES) {
        let (gate, up) = pair.split_at_mut(tokens * LANES);
        match isa.path() {
            Path::Scalar => scalar(gate, up),
            #[cfg(target_arch = "x86_64")]
            #[expect(unsafe_code, reason = "launcher")]
            // SAFETY: an `Isa` with this path exists only where its instructions were detected.
            Path::Avx2 => unsafe { avx2::gelu_mul(gate, up) },
            #[cfg(target_arch = "x86_64")]
            #[expect(unsafe_code, reason = "launcher")]
            // SAFETY: an `Isa` with this path exists only where its instructions were detected.
            Path::Avx512Vnni => unsafe { avx512::gelu_mul(gate, up) },
        }
    }
}

fn scalar(gate: &mut [f32], up: &[f32]) {
    for (gate, up) in gate.iter_mut().zip(up) {
        let g = *gate;
        let inner = g * CUBE.mul_add(g * g, LINE);
        *gate = g / (1.0 + exp(-inner)) * up;
    }
}

#[cfg(target_arch = "x86_64")]
mod avx2 {
    use std::arch::x86_64::*;

    use super::{CUBE, LINE};
    use crate::{
        exp::avx2::exp,
        lanes::avx2::{load, store},
    };

    #[target_feature(enable = "avx2,fma")]
    pub(super) fn gelu_mul(gate: &mut [f32], up: &[f32]) {
        let one = _mm256_set1_ps(1.0);
        let (line, cube) = (_mm256_set1_ps(LINE), _mm256_set1_ps(CUBE));
        let pairs = gate.as_chunks_mut().0.iter_mut().zip(up.as_chunks().0);
        for (gate, up) in pairs {
            let g = load(gate);
            let bracket = _mm256_fmadd_ps(cube, _mm256_mul_ps(g, g), line);
            let minus_inner = _mm256_sub_ps(_mm256_setzero_ps(), _mm256_mul_ps(g, bracket));
            let gelu = _mm256_div_ps(g, _mm256_add_ps(one, exp(minus_inner)));
            store(gate, _mm256_mul_ps(gelu, load(up)));
        }
    }
}

#[cfg(target_arch = "x86_64")]
mod avx512 {
    use std::arch::x86_64::*;

    use super::{CUBE, LINE};
    use crate::{exp::avx512::exp, lanes::avx512::*};

    #[target_feature(enable = "avx512f")]
    pub(super) fn gelu_mul(gate: &mut [f32], up: &[f32]) {
        let one = _mm512_set1_ps(1.0);
        let (line, cube) = (_mm512_set1_ps(LINE), _mm512_set1_ps(CUBE));
        let pairs = gate.as_chunks_mut().0.iter_mut().zip(up.as_chunks().0);
        for (gate, up) in pairs {
            let g = load(gate);
            let bracket = _mm512_fmadd_ps(cube, _mm512_mul_ps(g, g), line);
            let minus_inner = _mm512_sub_ps(_mm512_setzero_ps(), _mm512_mul_ps(g, bracket));
            let gelu = _mm512_div_ps(g, _mm512_add_ps(one, exp(minus_inner)));
            store(gate, _mm512_mul_ps(gelu, load(up)));
        }
    }
}

#[cfg(test)]
mod tests;
