//! Sixteen values side by side: the unit in which all operations count.

/// Values in one vector, rows in one panel of a weight matrix, positions in one page of keys.
pub const LANES: usize = 16;

/// One vector.
pub type Lanes = [f32; LANES];

/// Sum of the lanes in the one order used everywhere: halves onto each other, four times.
pub fn sum(lanes: &Lanes) -> f32 {
    let [a, b, c, d, e, f, g, h, i, j, k, l, m, n, o, p] = *lanes;
    let quarter = |w: f32, x: f32, y: f32, z: f32| (w + x) + (y + z);
    let [q, r, s, t] = [
        quarter(a, i, e, m),
        quarter(b, j, f, n),
        quarter(c, k, g, o),
        quarter(d, l, h, p),
    ];
    (q + s) + (r + t)
}

/// A vector made lane by lane.
pub(crate) fn from_fn(lane: impl FnMut(usize) -> f32) -> Lanes {
    std::array::from_fn(lane)
}

/// Asks for the cache lines of the value that is `ahead` values further in memory, whether there is one or not.
#[cfg(target_arch = "x86_64")]
#[inline]
#[target_feature(enable = "sse")]
pub(crate) fn prefetch<T>(value: &T, ahead: usize) {
    use std::arch::x86_64::{_MM_HINT_T0, _mm_prefetch};

    let bytes = std::ptr::from_ref(value).wrapping_add(ahead).cast::<i8>();
    for line in 0..size_of::<T>().div_ceil(64) {
        _mm_prefetch::<_MM_HINT_T0>(bytes.wrapping_add(64 * line));
    }
}

#[cfg(target_arch = "x86_64")]
pub(crate) mod avx2;

/// Loads and stores: the only places where the AVX-512 paths touch memory.
#[cfg(target_arch = "x86_64")]
pub(crate) mod avx512 {
    #![expect(
        unsafe_code,
        reason = "loads and stores of whole, live, exclusively or sharedly borrowed arrays"
    )]

    use std::arch::x86_64::*;

    use super::Lanes;
    pub(crate) use super::prefetch;

    #[inline]
    #[target_feature(enable = "avx512f")]
    pub(crate) fn load(lanes: &Lanes) -> __m512 {
        // SAFETY: the reference covers the 64 bytes read; the load needs no alignment.
        unsafe { _mm512_loadu_ps(lanes.as_ptr()) }
    }

    #[inline]
    #[target_feature(enable = "avx512f")]
    pub(crate) fn store(lanes: &mut Lanes, vector: __m512) {
        // SAFETY: the exclusive reference covers the 64 bytes written; the store needs no alignment.
        unsafe { _mm512_storeu_ps(lanes.as_mut_ptr(), vector) }
    }

    #[inline]
    #[target_feature(enable = "avx512f")]
    pub(crate) fn load_u8x64(values: &[u8; 64]) -> __m512i {
        // SAFETY: the reference covers the 64 bytes read; the load needs no alignment.
        unsafe { _mm512_loadu_si512(values.as_ptr().cast()) }
    }

    #[inline]
    #[target_feature(enable = "avx512f")]
    pub(crate) fn load_u8x16(values: &[u8; 16]) -> __m128i {
        // SAFETY: the reference covers the 16 bytes read; the load needs no alignment.
        unsafe { _mm_loadu_si128(values.as_ptr().cast()) }
    }

    #[inline]
    #[target_feature(enable = "avx512f")]
    pub(crate) fn load_i8x16(values: &[i8; 16]) -> __m128i {
        // SAFETY: the reference covers the 16 bytes read; the load needs no alignment.
        unsafe { _mm_loadu_si128(values.as_ptr().cast()) }
    }

    #[inline]
    #[target_feature(enable = "avx512f")]
    pub(crate) fn load_u32x4(values: &[u32; 4]) -> __m128i {
        // SAFETY: the reference covers the 16 bytes read; the load needs no alignment.
        unsafe { _mm_loadu_si128(values.as_ptr().cast()) }
    }

    #[inline]
    #[target_feature(enable = "avx512f")]
    pub(crate) fn load_u16x16(values: &[u16; 16]) -> __m256i {
        // SAFETY: the reference covers the 32 bytes read; the load needs no alignment.
        unsafe { _mm256_loadu_si256(values.as_ptr().cast()) }
    }

    #[inline]
    #[target_feature(enable = "avx512f")]
    pub(crate) fn store_u32x4(values: &mut [u32; 4], vector: __m128i) {
        // SAFETY: the exclusive reference covers the 16 bytes written; the store needs no alignment.
        unsafe { _mm_storeu_si128(values.as_mut_ptr().cast(), vector) }
    }

    /// [`super::sum`] of a vector.
    #[inline]
    #[target_feature(enable = "avx512f")]
    pub(crate) fn sum(vector: __m512) -> f32 {
        let mut lanes = [0.0; 16];
        store(&mut lanes, vector);
        super::sum(&lanes)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_sum_halves_four_times() {
        let lanes = from_fn(|i| 1.0 + 1e-7 * (i * i) as f32);
        let mut halves = lanes.to_vec();
        while halves.len() > 1 {
            let (low, high) = halves.split_at(halves.len() / 2);
            halves = low.iter().zip(high).map(|(a, b)| a + b).collect();
        }
        assert_eq!(sum(&lanes).to_bits(), halves[0].to_bits());
    }
}
