//! `silu(gate) * up`, with `silu(g) = g / (1 + exp(-g))`.
//!
//! Layout: pairs of panels, `[pair][gate, up][token][16]`; the result takes the gate's place.

use crate::{
    exp::exp,
    isa::{Isa, Path},
    lanes::LANES,
};

/// Applies to all pairs of `panels`, whose panels hold `tokens` vectors each.
///
/// # Panics
/// If `panels` is no whole number of pairs.
pub fn silu_mul(isa: Isa, tokens: usize, panels: &mut [f32]) {
    assert_eq!(panels.len() % (2 * tokens * LANES), 0, "whole pairs");
    for pair in panels.chunks_exact_mut(2 * tokens * LANES) {
        let (gate, up) = pair.split_at_mut(tokens * LANES);
        match isa.path() {
            Path::Scalar => scalar(gate, up),
            #[cfg(target_arch = "x86_64")]
            #[expect(unsafe_code, reason = "launcher")]
            // SAFETY: an `Isa` with this path exists only where its instructions were detected.
            Path::Avx2 => unsafe { avx2::silu_mul(gate, up) },
            #[cfg(target_arch = "x86_64")]
            #[expect(unsafe_code, reason = "launcher")]
            // SAFETY: an `Isa` with this path exists only where its instructions were detected.
            Path::Avx512Vnni => unsafe { avx512::silu_mul(gate, up) },
        }
    }
}

fn scalar(gate: &mut [f32], up: &[f32]) {
    for (gate, up) in gate.iter_mut().zip(up) {
        *gate = *gate / (1.0 + exp(-*gate)) * up;
    }
}

#[cfg(target_arch = "x86_64")]
mod avx2 {
    use std::arch::x86_64::*;

    use crate::{
        exp::avx2::exp,
        lanes::avx2::{load, store},
    };

    #[target_feature(enable = "avx2,fma")]
    pub(super) fn silu_mul(gate: &mut [f32], up: &[f32]) {
        let one = _mm256_set1_ps(1.0);
        let pairs = gate.as_chunks_mut().0.iter_mut().zip(up.as_chunks().0);
        for (gate, up) in pairs {
            let g = load(gate);
            let minus_g = _mm256_sub_ps(_mm256_setzero_ps(), g);
            let silu = _mm256_div_ps(g, _mm256_add_ps(one, exp(minus_g)));
            store(gate, _mm256_mul_ps(silu, load(up)));
        }
    }
}

#[cfg(target_arch = "x86_64")]
mod avx512 {
    use std::arch::x86_64::*;

    use crate::{exp::avx512::exp, lanes::avx512::*};

    #[target_feature(enable = "avx512f")]
    pub(super) fn silu_mul(gate: &mut [f32], up: &[f32]) {
        let one = _mm512_set1_ps(1.0);
        let pairs = gate.as_chunks_mut().0.iter_mut().zip(up.as_chunks().0);
        for (gate, up) in pairs {
            let g = load(gate);
            let minus_g = _mm512_sub_ps(_mm512_setzero_ps(), g);
            let silu = _mm512_div_ps(g, _mm512_add_ps(one, exp(minus_g)));
            store(gate, _mm512_mul_ps(silu, load(up)));
        }
    }
}

#[cfg(test)]
mod tests;
