//! The upper half of an `f32`.

/// Bytes of a value.
pub(crate) const VALUE_BYTES: usize = 2;

/// The bits of the nearest one, of two equally near the even one; what is no number stays none.
pub(crate) fn rounded(value: f32) -> u16 {
    let bits = value.to_bits();
    if value.is_nan() {
        return (bits >> 16) as u16 | 0x40;
    }
    let half = 0x7fff + (bits >> 16 & 1);
    (bits.wrapping_add(half) >> 16) as u16
}

/// The bytes of the nearest ones.
pub(crate) fn bytes(values: &[f32]) -> impl Iterator<Item = u8> {
    values
        .iter()
        .flat_map(|value| rounded(*value).to_le_bytes())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_nearest_one_is_taken_and_ties_go_to_even() {
        let cases = [
            (0x3f80_0000, 0x3f80),
            (0x3f80_8000, 0x3f80),
            (0x3f80_8001, 0x3f81),
            (0x3f81_8000, 0x3f82),
            (0xbf80_ffff, 0xbf81),
            (0x7f7f_ffff, 0x7f80),
            (0x7f80_0000, 0x7f80),
            (0x8000_0000, 0x8000),
            (0x7f80_0001, 0x7fc0),
        ];
        for (bits, expected) in cases {
            assert_eq!(rounded(f32::from_bits(bits)), expected, "{bits:#x}");
        }
    }
}
