//! Numbers that look random and are always the same.

/// A linear congruential generator (Knuth's MMIX).
pub(super) struct Noise(u64);

impl Noise {
    pub(super) fn new(seed: u64) -> Self {
        Self(seed)
    }

    pub(super) fn byte(&mut self) -> u8 {
        let (factor, step) = (6_364_136_223_846_793_005, 1_442_695_040_888_963_407);
        self.0 = self.0.wrapping_mul(factor).wrapping_add(step);
        (self.0 >> 56) as u8
    }

    /// A multiple of 1/16384 from -2 to 2.
    fn float(&mut self) -> f32 {
        let integer = i16::from_le_bytes([self.byte(), self.byte()]);
        f32::from(integer) / 16_384.0
    }

    /// Integers from -8 to 7, whose products sum up without rounding.
    pub(super) fn integers(&mut self, count: usize) -> Vec<f32> {
        let integer = |byte: u8| f32::from(byte & 15) - 8.0;
        (0..count).map(|_| integer(self.byte())).collect()
    }

    pub(super) fn floats(&mut self, count: usize) -> Vec<f32> {
        (0..count).map(|_| self.float()).collect()
    }

    /// Blocks of any format: of every other byte a bit is kept zero, so that all floats in them are finite.
    pub(super) fn blocks(&mut self, bytes: usize) -> Vec<u8> {
        let masks = [0xff, 0xbf].into_iter().cycle();
        masks.take(bytes).map(|mask| self.byte() & mask).collect()
    }
}
