//! Which rows of a step are whose.

use engine::decoder::Part;

/// How the rows of a step are ordered.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Layout {
    /// As the parts are.
    InOrder,
    /// Parts of one token before all others, which begin at this row.
    SinglesFirst(usize),
}

/// Consecutive tokens of a sequence in consecutive rows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Span {
    /// Whether it is among the single tokens.
    pub(crate) single: bool,
    pub(crate) first_row: usize,
    pub(crate) rows: usize,
    pub(crate) first_position: usize,
    pub(crate) sequence: usize,
}

impl Span {
    /// A span that is there to fill up a step.
    pub(crate) const NONE: Self = Self {
        single: false,
        first_row: 0,
        rows: 0,
        first_position: 0,
        sequence: 0,
    };

    pub(crate) fn last_row(self) -> usize {
        (self.first_row + self.rows).saturating_sub(1)
    }
}

impl Layout {
    /// One span for each part.
    pub(crate) fn spans(self, parts: &[Part<'_>]) -> Vec<Span> {
        let (mut next_single, mut next) = match self {
            Self::InOrder => (0, 0),
            Self::SinglesFirst(others) => (0, others),
        };
        let parts = (0..).zip(parts);
        let spans = parts.map(|(sequence, part)| {
            let (single, rows) = (self.is_single(part), part.tokens.len());
            let next = if single { &mut next_single } else { &mut next };
            let first_row = *next;
            *next += rows;
            Span {
                single,
                first_row,
                rows,
                first_position: part.table.len(),
                sequence,
            }
        });
        spans.collect()
    }

    /// Whether a part is among the single tokens.
    pub(crate) fn is_single(self, part: &Part<'_>) -> bool {
        self != Self::InOrder && part.tokens.len() == 1
    }
}
