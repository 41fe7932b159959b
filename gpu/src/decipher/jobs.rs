//! What has to be done with each tensor of a file: where it lies there, and where its panels go.

use std::ops::Range;

use engine::model::{PlacedMatrix, PlacedPart};
use kernels::lanes::LANES;

use super::{BLOCK_BYTES, DecipherError};
use crate::{
    DeviceError, Memory,
    operations::{DeviceMatrix, Pack},
};

/// One tensor.
pub(super) struct Job {
    pub(super) part: PlacedPart,
    pieces: Vec<Piece>,
}

/// Consecutive panels of a tensor that are equally far apart in a product.
#[derive(Clone, Copy)]
struct Piece {
    memory: Memory,
    /// Of the tensor.
    first_panel: usize,
    panels: usize,
    /// In the product.
    place: usize,
    step: usize,
}

impl Job {
    pub(super) fn start(&self) -> usize {
        self.part.range.start
    }

    pub(super) fn range(&self) -> Range<usize> {
        self.part.range.clone()
    }

    pub(super) fn bytes(&self) -> usize {
        self.part.range.len()
    }

    fn row_bytes(&self) -> usize {
        self.part.format.row_bytes(self.part.columns)
    }

    /// How many panels there are.
    pub(super) fn panels(&self) -> usize {
        self.part.rows.div_ceil(LANES)
    }

    /// The rows of some panels.
    fn rows(&self, panels: Range<usize>) -> Range<usize> {
        let end = (panels.end * LANES).min(self.part.rows);
        panels.start * LANES..end
    }

    /// Where in the file a panel's rows lie.
    pub(super) fn file_range(&self, panel: usize) -> Range<u64> {
        let rows = self.rows(panel..panel + 1);
        let at = |row: usize| (self.start() + row * self.row_bytes()) as u64;
        at(rows.start)..at(rows.end)
    }

    /// Where in the device's memory a panel lies.
    pub(super) fn memory(&self, panel: usize) -> Option<Memory> {
        let bytes = self.part.format.panel_bytes(self.part.columns);
        let mut pieces = self.pieces.iter();
        pieces.find_map(|piece| {
            let index = panel.checked_sub(piece.first_panel)?;
            let place = piece.place + index * piece.step;
            (index < piece.panels).then(|| piece.memory.part(place * bytes, bytes))
        })
    }

    /// Packs the tensor, whose rows are in `file`.
    pub(super) fn packs(&self, file: Memory, not_finite: Memory) -> impl Iterator<Item = Pack> {
        let pieces = self.pieces.iter();
        pieces.map(move |piece| {
            let rows = self.rows(piece.first_panel..piece.first_panel + piece.panels);
            let row_bytes = self.row_bytes();
            Pack {
                format: self.part.format,
                file: file.part(rows.start * row_bytes, rows.len() * row_bytes),
                rows: rows.len(),
                columns: self.part.columns,
                panels: piece.memory,
                first_panel: piece.place,
                panel_step: piece.step,
                not_finite,
            }
        })
    }
}

/// What fills `matrix`, which is room for `placed`.
pub(super) fn of(placed: &PlacedMatrix, matrix: &DeviceMatrix) -> Result<Vec<Job>, DecipherError> {
    let parts = placed.parts().iter();
    let mut jobs: Vec<Job> = parts
        .map(|part| Job {
            part: part.clone(),
            pieces: Vec::new(),
        })
        .collect();
    for (index, panel) in placed.panels().iter().enumerate() {
        let found = matrix.find(index).zip(jobs.get_mut(panel.part));
        let ((product, place), job) = found.ok_or(DeviceError::Plan)?;
        put(&mut job.pieces, product.memory, (panel.panel, place));
    }
    Ok(jobs)
}

/// Adds a panel to the last piece, if it goes there, or begins another.
fn put(pieces: &mut Vec<Piece>, memory: Memory, (panel, place): (usize, usize)) {
    if let Some(piece) = pieces.last_mut() {
        let step = place
            .checked_sub(piece.place)
            .map(|behind| behind / piece.panels);
        let step = step.filter(|step| *step > 0 && piece.place + step * piece.panels == place);
        let goes_on = piece.memory == memory && piece.first_panel + piece.panels == panel;
        let same = step.filter(|step| goes_on && (piece.panels == 1 || *step == piece.step));
        if let Some(step) = same {
            piece.step = step;
            piece.panels += 1;
            return;
        }
    }
    pieces.push(Piece {
        memory,
        first_panel: panel,
        panels: 1,
        place,
        step: 1,
    });
}

/// Whether each range begins with a block, and none before another ends.
pub(super) fn follow_each_other(mut ranges: Vec<Range<usize>>) -> bool {
    ranges.sort_unstable_by_key(|range| range.start);
    let aligned = |range: &Range<usize>| range.start.is_multiple_of(BLOCK_BYTES);
    let mut pairs = ranges.iter().zip(ranges.iter().skip(1));
    ranges.iter().all(aligned) && pairs.all(|(one, next)| one.end <= next.start)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ranges_that_lie_in_each_other_or_between_blocks_are_told() {
        assert!(follow_each_other(vec![]));
        assert!(follow_each_other(vec![64..100, 16..64, 112..113]));
        assert!(!follow_each_other(vec![16..65, 64..100]));
        assert!(!follow_each_other(vec![16..64, 72..100]));
        assert!(!follow_each_other(vec![16..64, 16..32]));
    }

    #[test]
    fn panels_that_are_equally_far_apart_are_one_piece() {
        let (one, other) = (Memory::new(16, 16), Memory::new(32, 16));
        let mut pieces = Vec::new();
        // The second makes the step, the fourth another one, and the last goes elsewhere.
        for (panel, (memory, place)) in [(one, 1), (one, 3), (one, 5), (one, 6), (other, 7)]
            .into_iter()
            .enumerate()
        {
            put(&mut pieces, memory, (panel, place));
        }
        let shown: Vec<_> = pieces
            .iter()
            .map(|piece| (piece.first_panel, piece.panels, piece.place, piece.step))
            .collect();
        assert_eq!(shown, [(0, 3, 1, 2), (3, 1, 6, 1), (4, 1, 7, 1)]);
    }
}
