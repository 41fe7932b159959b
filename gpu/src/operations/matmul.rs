//! Products of packed weights with quantised activations.

use kernels::{lanes::LANES, quantize::TILE};

use super::{DeviceMatrix, Product, activation_bytes, assert_rows, count, launch};
use crate::{Argument, Launch, Memory};

/// From so many rows on, rows share each weight.
const SHARED_ROWS: usize = 4;

/// What becomes of the output's former contents: [`kernels::matmul::Mode`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Accumulate {
    /// They are replaced.
    Set,
    /// They are added to the product.
    Add,
}

/// [`kernels::matmul::matmul`].
#[derive(Clone, Copy, Debug)]
pub struct Multiply<'a> {
    /// The weights.
    pub matrix: &'a DeviceMatrix,
    /// Activations of each row, as wide as the matrix.
    pub activations: Memory,
    /// `[row][column]`, as many columns as the matrix has rows, rounded up to whole panels.
    pub out: Memory,
    /// What becomes of its contents.
    pub mode: Accumulate,
    /// How many rows.
    pub rows: usize,
}

impl Multiply<'_> {
    /// One launch for each format that the matrix has.
    pub fn launches(self) -> impl Iterator<Item = Launch> {
        let blocks = self.rows * activation_bytes(self.matrix.columns());
        assert!(self.activations.bytes() >= blocks, "memory for all rows");
        assert_rows(self.out, self.rows, self.matrix.padded_rows());
        let products = self.matrix.products().iter();
        products.map(move |product| self.launch(product, self.rows >= SHARED_ROWS))
    }

    /// The two variants of one product, for the self-test.
    pub(crate) fn variants(self, product: &Product) -> [Launch; 2] {
        [false, true].map(|shared| self.launch(product, shared))
    }

    fn launch(self, product: &Product, shared: bool) -> Launch {
        let (variant, tiles) = match shared {
            true => ("x8", self.rows.div_ceil(TILE)),
            false => ("x1", self.rows),
        };
        let arguments = vec![
            Argument::Memory(product.memory),
            Argument::Memory(self.activations),
            Argument::Memory(self.out),
            Argument::U32(count(self.matrix.blocks_per_row())),
            Argument::U32(count(self.rows)),
            Argument::U32(count(self.matrix.panels() * LANES)),
            Argument::U32(count(product.first_panel)),
            Argument::U32(count(product.panel_step)),
            Argument::U32(u32::from(self.mode == Accumulate::Add)),
        ];
        let entry = format!("exact_matmul_{}_{variant}", product.format.name());
        launch(entry, [product.panels, tiles], 128, arguments)
    }
}
