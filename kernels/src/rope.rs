//! Rotary position embedding, of neighbouring columns (Llama models in GGUF files) or of the halves of a head (all others).
//!
//! The columns of pair `i`, `2i` and `2i + 1` or `i` and `width / 2 + i`, are turned by `position * base^(-2i / width)`,
//! divided by the pair's factor where there are factors: `y = x * cos - x' * sin`, `y' = x * sin + x' * cos`, every operation
//! rounded: plain code gives the same bits on every path, so there is no other.
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

    /// Each frequency divided by its factor.
    ///
    /// # Panics
    /// If there are not as many factors as frequencies.
    #[must_use]
    pub fn divided(self, factors: &[f32]) -> Self {
        assert_eq!(factors.len(), self.0.len());
        let pairs = self.0.into_iter().zip(factors);
        Self(pairs.map(|(f, by)| f / f64::from(*by)).collect())
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

/// Turns one head in place, columns `i` and `width / 2 + i` together; `turn` is what [`Frequencies::turn`] wrote.
///
/// # Panics
/// If the lengths differ.
pub fn rotate_halves(turn: &[f32], head: &mut [f32]) {
    assert_eq!(turn.len(), head.len());
    let (first, second) = head.split_at_mut(turn.len() / 2);
    let pairs = first.iter_mut().zip(second);
    for ((first, second), [cos, sin]) in pairs.zip(turn.as_chunks().0) {
        let (x, y) = (*first, *second);
        *first = x * cos - y * sin;
        *second = x * sin + y * cos;
    }
}

/// Turns one head in place, columns `2i` and `2i + 1` together; `turn` is what [`Frequencies::turn`] wrote.
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
