//! Weight matrices in panels of sixteen rows: one vector instruction works on the same column of all of them.

use std::ops::Range;

use super::{
    formats::{Blocks, Format, Panel},
    pack::PackError,
};
use crate::{lanes::LANES, quantize::BLOCK};

/// A packed weight matrix. Where it was joined from several, they keep their formats, and only the order of panels is new.
///
/// Where the rows are no multiple of 16, the last panel is filled with rows of zeros, whose products are in no contract.
pub struct Matrix {
    parts: Vec<Blocks>,
    places: Vec<Place>,
    blocks_per_row: usize,
    rows: usize,
}

/// Where a panel is.
#[derive(Clone, Copy)]
struct Place {
    part: usize,
    panel: usize,
}

impl Matrix {
    /// Packs `bytes`: rows of `columns` weights each, in the blocks of a GGUF file.
    pub fn pack(format: Format, columns: usize, bytes: &[u8]) -> Result<Self, PackError> {
        if columns == 0 || !columns.is_multiple_of(format.block_columns()) {
            return Err(PackError::Columns(columns));
        }
        let blocks = Blocks::pack(format, columns, bytes)?;
        let rows = bytes.len() / format.row_bytes(columns);
        let place = |panel| Place { part: 0, panel };
        Ok(Self {
            parts: vec![blocks],
            places: (0..rows.div_ceil(LANES)).map(place).collect(),
            blocks_per_row: columns / BLOCK,
            rows,
        })
    }

    /// The rows of `self`, then those of `below`.
    ///
    /// # Panics
    /// If the rows are of different lengths, or those of `self` fill no whole number of panels.
    pub fn stack(mut self, below: Self) -> Self {
        assert_eq!(self.blocks_per_row, below.blocks_per_row, "equal widths");
        assert_eq!(self.rows % LANES, 0, "whole panels");
        self.rows += below.rows;
        let places = self.adopt(below);
        self.places.extend(places);
        self
    }

    /// Panels of `self` and `other` in turn.
    ///
    /// # Panics
    /// If the matrices are of different sizes, or their rows fill no whole number of panels.
    pub fn interleave(mut self, other: Self) -> Self {
        assert_eq!(self.blocks_per_row, other.blocks_per_row, "equal widths");
        assert_eq!(self.rows, other.rows, "equal heights");
        assert_eq!(self.rows % LANES, 0, "whole panels");
        self.rows += other.rows;
        let odd = self.adopt(other);
        let even = std::mem::take(&mut self.places);
        let pairs = even.into_iter().zip(odd);
        self.places = pairs.flat_map(|(even, odd)| [even, odd]).collect();
        self
    }

    /// Takes the blocks of another matrix; gives where its panels are now.
    fn adopt(&mut self, other: Self) -> impl Iterator<Item = Place> + use<> {
        let before = self.parts.len();
        self.parts.extend(other.parts);
        other.places.into_iter().map(move |place| Place {
            part: before + place.part,
            ..place
        })
    }

    /// Moves the blocks into huge pages, as far as the system has them to give; best when all matrices are there.
    pub fn gather(&self) {
        self.parts.iter().for_each(Blocks::gather);
    }

    /// How many rows there are, without those that fill the last panel.
    pub fn rows(&self) -> usize {
        self.rows
    }

    /// How many panels of 16 rows there are.
    pub fn panel_count(&self) -> usize {
        self.places.len()
    }

    /// Width of a row in blocks of 32 columns.
    pub fn blocks_per_row(&self) -> usize {
        self.blocks_per_row
    }

    /// Some panels.
    ///
    /// # Panics
    /// If there are not so many.
    #[expect(
        clippy::indexing_slicing,
        reason = "a wrong range is the caller's mistake"
    )]
    pub fn panels(&self, range: Range<usize>) -> Panels<'_> {
        Panels {
            parts: &self.parts,
            places: &self.places[range],
            blocks_per_row: self.blocks_per_row,
        }
    }

    /// One panel as it lies in memory, for those who multiply elsewhere.
    ///
    /// # Panics
    /// If there is no such panel.
    #[expect(
        clippy::indexing_slicing,
        reason = "a wrong panel is the caller's mistake"
    )]
    pub fn packed_panel(&self, index: usize) -> PackedPanel<'_> {
        let place = self.places[index];
        self.parts[place.part]
            .panel(place.panel, self.blocks_per_row)
            .packed()
    }

    /// Writes the weights of one row, each the `f32` that its format means.
    ///
    /// # Panics
    /// If there is no such row.
    pub fn row(&self, row: usize, out: &mut [f32]) {
        let panels = self.panels(row / LANES..row / LANES + 1);
        panels.iter().for_each(|panel| panel.row(row % LANES, out));
    }
}

/// The blocks of sixteen rows, `[block]`: each as the files of `matmul/formats` lay it out.
#[derive(Clone, Copy)]
pub struct PackedPanel<'a> {
    /// What the blocks are.
    pub format: Format,
    /// Their bytes.
    pub bytes: &'a [u8],
}

/// Some panels of a matrix.
#[derive(Clone, Copy)]
pub struct Panels<'a> {
    parts: &'a [Blocks],
    places: &'a [Place],
    blocks_per_row: usize,
}

impl<'a> Panels<'a> {
    /// How many there are.
    pub fn count(&self) -> usize {
        self.places.len()
    }

    /// Width of a row in blocks of 32 columns.
    pub(super) fn blocks_per_row(&self) -> usize {
        self.blocks_per_row
    }

    /// Their blocks, panel after panel.
    #[expect(clippy::indexing_slicing, reason = "places name parts that are there")]
    pub(super) fn iter(self) -> impl Iterator<Item = Panel<'a>> {
        let place =
            move |place: &Place| self.parts[place.part].panel(place.panel, self.blocks_per_row);
        self.places.iter().map(place)
    }
}
