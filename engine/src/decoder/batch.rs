//! Which rows of a step belong to which sequence, and where their keys and values go.

use super::pool::{KvTable, PAGE_TOKENS};

/// What a step takes of one sequence.
pub struct Part<'a> {
    /// The tokens that follow those in its pages.
    pub tokens: &'a [u32],
    /// Its pages, with room for the tokens.
    pub table: &'a mut KvTable,
    /// Whether the logits after the last of the tokens are wanted.
    pub wants_logits: bool,
}

/// What a step gives for a part that wants logits.
#[derive(Clone, Copy)]
pub enum Row<'a> {
    /// One for each token of the vocabulary.
    Logits(&'a [f32]),
    /// The token that a plain choice gave; `None`: nothing can be chosen from the logits.
    Token(Option<u32>),
}

/// The rows of a step: those of one sequence after those of another.
pub(super) struct Batch<'a> {
    pub(super) sequences: Vec<SequenceRows<'a>>,
    /// Ordered by page.
    pub(super) writes: Vec<PageRows>,
    pub(super) rows: usize,
    /// Rows after which logits are wanted.
    pub(super) wanted: Vec<usize>,
}

/// The rows of one sequence.
pub(super) struct SequenceRows<'a> {
    pub(super) pages: &'a [u32],
    pub(super) first_row: usize,
    pub(super) rows: usize,
    /// Position of the first row in the sequence.
    pub(super) first_position: usize,
}

/// The rows whose keys and values go to one page.
#[derive(Clone, Copy)]
pub(super) struct PageRows {
    pub(super) page: usize,
    /// Place of the first row in the page.
    pub(super) place: usize,
    pub(super) first_row: usize,
    pub(super) rows: usize,
}

impl<'a> Batch<'a> {
    pub(super) fn of(parts: &'a [Part<'_>]) -> Self {
        let (mut rows, mut wanted) = (0, Vec::new());
        let sequence = |part: &'a Part<'_>| {
            let first_row = rows;
            rows += part.tokens.len();
            wanted.extend(part.wants_logits.then_some(rows - 1));
            SequenceRows {
                pages: part.table.pages(),
                first_row,
                rows: part.tokens.len(),
                first_position: part.table.len(),
            }
        };
        let sequences: Vec<_> = parts.iter().map(sequence).collect();
        let mut writes: Vec<_> = sequences.iter().flat_map(SequenceRows::writes).collect();
        writes.sort_unstable_by_key(|write| write.page);
        Self {
            sequences,
            writes,
            rows,
            wanted,
        }
    }

    /// Position of each row in its sequence.
    pub(super) fn positions(&self) -> impl Iterator<Item = usize> {
        let positions = |rows: &SequenceRows<'_>| {
            let first = rows.first_position;
            first..first + rows.rows
        };
        self.sequences.iter().flat_map(positions)
    }
}

impl SequenceRows<'_> {
    /// What goes to each of its pages.
    fn writes(&self) -> impl Iterator<Item = PageRows> {
        let (begin, end) = (self.first_position, self.first_position + self.rows);
        let pages = (0..).zip(self.pages).skip(begin / PAGE_TOKENS);
        let reached = pages.take_while(move |(index, _)| index * PAGE_TOKENS < end);
        reached.map(move |(index, page)| {
            let first = begin.max(index * PAGE_TOKENS);
            let next = end.min((index + 1) * PAGE_TOKENS);
            PageRows {
                page: *page as usize,
                place: first % PAGE_TOKENS,
                first_row: self.first_row + first - begin,
                rows: next - first,
            }
        })
    }
}
