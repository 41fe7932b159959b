//! The token that follows, where logits and a random number decide it.

use engine::sampler::Plain;
use kernels::weigh::{BLOCK, Block};

use super::{assert_rows, count, launch};
use crate::{Argument, Launch, Memory};

/// Logits that a block of threads weighs.
const LOGITS: usize = 2048;

/// Bytes of a row's [`Plain`] as kernels take it.
pub const CHOICE_BYTES: usize = 48;

/// A choice's bytes; without one, those of the greatest logit's.
pub fn choice_bytes(choice: Option<Plain>) -> [u8; CHOICE_BYTES] {
    let choice = choice.unwrap_or(Plain {
        seed: 0,
        position: 0,
        inverse: 0.0,
        top_p: 1.0,
        min_p: 0.0,
        top_k: 0,
    });
    let words = [
        choice.seed,
        choice.position,
        choice.inverse.to_bits(),
        choice.top_p.to_bits(),
        choice.min_p.to_bits(),
        u64::from(choice.top_k),
    ];
    let mut bytes = [0; CHOICE_BYTES];
    let places = bytes.as_chunks_mut().0.iter_mut();
    places
        .zip(words)
        .for_each(|(place, word)| *place = word.to_le_bytes());
    bytes
}

/// [`engine::sampler::Sampler::choose`], where nothing is put on the logits before.
#[derive(Clone, Copy, Debug)]
pub struct Choose {
    /// `[row][column]`.
    pub logits: Memory,
    /// From one row of logits to the next.
    pub stride: usize,
    /// How many of them are logits.
    pub vocabulary: usize,
    /// [`CHOICE_BYTES`] for each row.
    pub choices: Memory,
    /// `f64 [row][token]`.
    pub weights: Memory,
    /// [`Block`] of each 64 weights of each row.
    pub sums: Memory,
    /// Scratch, `u32 [row][token]`.
    pub tokens: Memory,
    /// Scratch, `f64 [row][token]`.
    pub kept: Memory,
    /// `u32` for each row; `u32::MAX` where nothing can be chosen.
    pub chosen: Memory,
    /// How many rows.
    pub rows: usize,
}

impl Choose {
    /// The launches, in their order.
    pub fn launches(self) -> [Launch; 4] {
        assert_rows(self.logits, self.rows, self.stride);
        assert!(self.stride >= self.vocabulary, "whole rows");
        assert_rows(self.chosen, self.rows, 1);
        assert!(
            self.choices.bytes() >= self.rows * CHOICE_BYTES,
            "memory for all rows"
        );
        assert!(
            self.weights.bytes() >= self.rows * weight_bytes(self.vocabulary),
            "memory for all rows"
        );
        assert!(
            self.sums.bytes() >= self.rows * sum_bytes(self.vocabulary),
            "memory for all rows"
        );
        assert!(
            self.kept.bytes() >= self.rows * weight_bytes(self.vocabulary),
            "memory for all rows"
        );
        assert_rows(self.tokens, self.rows, self.vocabulary);
        [
            self.argmax(),
            self.weigh(),
            self.pick(),
            self.pick_likeliest(),
        ]
    }

    fn argmax(self) -> Launch {
        let arguments = vec![
            Argument::Memory(self.logits),
            Argument::Memory(self.chosen),
            Argument::U32(count(self.vocabulary)),
            Argument::U32(count(self.stride)),
        ];
        launch("exact_argmax", [self.rows, 1], 256, arguments)
    }

    fn weigh(self) -> Launch {
        let arguments = vec![
            Argument::Memory(self.logits),
            Argument::Memory(self.chosen),
            Argument::Memory(self.choices),
            Argument::Memory(self.weights),
            Argument::Memory(self.sums),
            Argument::U32(count(self.vocabulary)),
            Argument::U32(count(self.stride)),
        ];
        let grid = [self.rows, self.vocabulary.div_ceil(LOGITS)];
        launch("exact_weigh", grid, 256, arguments)
    }

    fn pick(self) -> Launch {
        let arguments = vec![
            Argument::Memory(self.weights),
            Argument::Memory(self.sums),
            Argument::Memory(self.choices),
            Argument::Memory(self.chosen),
            Argument::U32(count(self.vocabulary)),
        ];
        launch("exact_pick", [self.rows, 1], 256, arguments)
    }

    fn pick_likeliest(self) -> Launch {
        let arguments = vec![
            Argument::Memory(self.weights),
            Argument::Memory(self.sums),
            Argument::Memory(self.choices),
            Argument::Memory(self.tokens),
            Argument::Memory(self.kept),
            Argument::Memory(self.chosen),
            Argument::U32(count(self.vocabulary)),
        ];
        launch("exact_pick_likeliest", [self.rows, 1], 256, arguments)
    }
}

/// Bytes of a row's weights.
pub const fn weight_bytes(vocabulary: usize) -> usize {
    vocabulary * size_of::<f64>()
}

/// Bytes of a row's sums.
pub const fn sum_bytes(vocabulary: usize) -> usize {
    vocabulary.div_ceil(BLOCK) * size_of::<Block>()
}
