//! Philox4x32-10 (Salmon, Moraes, Dror, Shaw, "Parallel random numbers: as easy as 1, 2, 3", SC 2011): random numbers without a state.

const MULTIPLIERS: [u32; 2] = [0xd251_1f53, 0xcd9e_8d57];
const WEYL: [u32; 2] = [0x9e37_79b9, 0xbb67_ae85];
const ROUNDS: usize = 10;

/// A number from 0 to below 1, in steps of 2^-53, for this key and position.
pub(super) fn unit_interval(seed: u64, position: u64) -> f64 {
    let [high, low, ..] = block(halves(position), halves(seed));
    let bits = (u64::from(high) << 32 | u64::from(low)) >> 11;
    bits as f64 * (1.0 / (1u64 << 53) as f64)
}

/// The low and the high half; a counter's upper words are 0.
fn halves<const N: usize>(wide: u64) -> [u32; N] {
    let mut words = [0; N];
    for (word, value) in words.iter_mut().zip([wide as u32, (wide >> 32) as u32]) {
        *word = value;
    }
    words
}

fn block(counter: [u32; 4], key: [u32; 2]) -> [u32; 4] {
    let (mut words, mut key) = (counter, key);
    for _ in 0..ROUNDS {
        words = round(words, key);
        key = [key[0].wrapping_add(WEYL[0]), key[1].wrapping_add(WEYL[1])];
    }
    words
}

fn round([a, b, c, d]: [u32; 4], key: [u32; 2]) -> [u32; 4] {
    let (high_a, low_a) = product(MULTIPLIERS[0], a);
    let (high_c, low_c) = product(MULTIPLIERS[1], c);
    [high_c ^ b ^ key[0], low_c, high_a ^ d ^ key[1], low_a]
}

fn product(left: u32, right: u32) -> (u32, u32) {
    let wide = u64::from(left).wrapping_mul(u64::from(right));
    ((wide >> 32) as u32, wide as u32)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// `kat_vectors` of the authors' library Random123.
    #[test]
    fn known_answers() {
        let answers = [
            (
                [0; 4],
                [0; 2],
                [0x6627_e8d5, 0xe169_c58d, 0xbc57_ac4c, 0x9b00_dbd8],
            ),
            (
                [u32::MAX; 4],
                [u32::MAX; 2],
                [0x408f_276d, 0x41c8_3b0e, 0xa20b_c7c6, 0x6d54_51fd],
            ),
            (
                [0x243f_6a88, 0x85a3_08d3, 0x1319_8a2e, 0x0370_7344],
                [0xa409_3822, 0x299f_31d0],
                [0xd16c_fe09, 0x94fd_cceb, 0x5001_e420, 0x2412_6ea1],
            ),
        ];
        for (counter, key, expected) in answers {
            assert_eq!(block(counter, key), expected);
        }
    }

    #[test]
    fn stays_below_one() {
        let numbers: Vec<f64> = (0..1000).map(|p| unit_interval(p ^ 5, p)).collect();
        assert!(numbers.iter().all(|n| (0.0..1.0).contains(n)));
        let mean = numbers.iter().sum::<f64>() / 1000.0;
        assert!((mean - 0.5).abs() < 0.05, "{mean}");
    }
}
