//! Frequencies of a model's rotary embedding.

use kernels::rope::Frequencies;

use super::Model;

impl<M> Model<M> {
    /// Frequencies of layers that see everything.
    pub fn frequencies(&self) -> Frequencies {
        let config = &self.config;
        let plain = Frequencies::new(config.rope_base, config.head_width);
        let scaled = plain.divided(&vec![config.rope_factor; config.head_width / 2]);
        match &self.weights.rope_factors {
            Some(factors) => scaled.divided(factors),
            None => scaled,
        }
    }

    /// Frequencies of layers with a sliding window, where they have others.
    pub fn local_frequencies(&self) -> Option<Frequencies> {
        let base = self.config.local_rope_base()?;
        Some(Frequencies::new(base, self.config.head_width))
    }
}
