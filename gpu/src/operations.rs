//! The exact operations as launches: what each entry point of `kernels/cuda` is given, and what has to hold of it.
//!
//! Every operation gives the same bits as the function of [`kernels`] it names. Floats are `[row][column]`, one row directly
//! behind the other; a row is a token of a step.
//!
//! Memory that is too small for its shape is a mistake of the calling code: making the launch panics.

mod add_normalized;
mod attend;
mod choose;
mod decipher;
mod embed;
mod gate;
mod matmul;
mod matrix;
mod pack;
mod quantize;
mod turn;

pub use add_normalized::AddNormalized;
pub use attend::Attend;
pub use choose::{CHOICE_BYTES, Choose, choice_bytes, sum_bytes, weight_bytes};
pub use decipher::{CipherSegment, Decipher, ExpandKey, KEY_BYTES, PLANES_BYTES, SEGMENT_BYTES};
pub use embed::Embed;
pub use gate::{Gate, GateQuantize};
pub use matmul::{Accumulate, Multiply};
pub use matrix::{DeviceMatrix, Product};
pub use pack::Pack;
pub use quantize::Quantize;
pub use turn::Turn;

use kernels::quantize::{ActivationBlock, BLOCK};

use crate::{Argument, Launch, Memory};

/// The sequence of a row that is there to fill up a step: it writes nowhere and attends to nothing.
pub const PADDING: u32 = u32::MAX;

/// Weights of a normalisation.
#[derive(Clone, Copy, Debug)]
pub struct DeviceNorm {
    /// One for each column.
    pub weights: Memory,
    /// Added to the mean square.
    pub epsilon: f32,
}

/// Bytes of a row's activations.
pub const fn activation_bytes(columns: usize) -> usize {
    columns / BLOCK * size_of::<ActivationBlock>()
}

/// A launch without dynamic shared memory.
pub(crate) fn launch(
    entry: impl Into<String>,
    grid: [usize; 2],
    block: u32,
    arguments: Vec<Argument>,
) -> Launch {
    let [x, y] = grid.map(count);
    Launch {
        entry: entry.into(),
        grid: [x, y, 1],
        block: [block, 1, 1],
        shared_bytes: 0,
        arguments,
    }
}

/// A number as kernels take it.
///
/// # Panics
/// If it is beyond what they count: no shape of a model is.
pub(crate) fn count(number: usize) -> u32 {
    let count = u32::try_from(number);
    assert!(count.is_ok(), "a number that kernels can count");
    count.unwrap_or(u32::MAX)
}

/// Checks that `memory` holds `rows` rows of `columns` values of four bytes.
pub(crate) fn assert_rows(memory: Memory, rows: usize, columns: usize) {
    assert!(memory.bytes() >= 4 * rows * columns, "memory for all rows");
}
