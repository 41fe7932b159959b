//! Rotary position embedding, interleaved pairs (the convention of Llama models in GGUF files).
//!
//! Columns `2i` and `2i + 1` of a head are turned by `position * base^(-2i / width)`:
//! `y[2i] = x[2i] * cos - x[2i + 1] * sin`, `y[2i + 1] = x[2i] * sin + x[2i + 1] * cos`, every operation rounded: plain code
//! gives the same bits on every path, so there is no other.
//! Angles, sines and cosines are computed in `f64` by the crate `libm` and rounded once: the same everywhere.

/// Frequencies of one head.
pub struct Frequencies(Vec<f64>);

impl Frequencies {
    /// Frequencies of a head of `width` columns.
    pub fn new(base: f32, width: usize) -> Self {
        let exponent = |i: usize| -2.0 * i as f64 / width as f64;
        let frequency = |i| libm::pow(f64::from(base), exponent(i));
        Self((0..width / 2).map(frequency).collect())
    }

    /// Writes cosine and sine of each pair at a position, `[cos, sin]` pair by pair.
    ///
    /// # Panics
    /// If `out` is not as long as a head is wide.
    pub fn turn(&self, position: usize, out: &mut [f32]) {
        assert_eq!(out.len(), 2 * self.0.len());
        for (frequency, out) in self.0.iter().zip(out.as_chunks_mut().0) {
            let (sin, cos) = libm::sincos(position as f64 * frequency);
            *out = [cos as f32, sin as f32];
        }
    }
}

/// Turns one head in place; `turn` is what [`Frequencies::turn`] wrote.
///
/// # Panics
/// If the lengths differ.
pub fn rotate(turn: &[f32], head: &mut [f32]) {
    assert_eq!(turn.len(), head.len());
    for (head, [cos, sin]) in head.as_chunks_mut().0.iter_mut().zip(turn.as_chunks().0) {
        let [x, y] = *head;
        *head = [x * cos - y * sin, x * sin + y * cos];
    }
}

#[cfg(test)]
mod tests;
