//! What the host tells a device of a step: one packed copy.
//!
//! Little-endian `u32`: tokens, positions and sequences of as many rows as a step can have, as many rows that want logits and
//! choices made of them ([`CHOICE_BYTES`] each), spans, then the pages of each sequence.

use std::iter;

use engine::{decoder::Part, sampler::Plain};
use zeroize::Zeroizing;

use crate::{
    Device, DeviceError, Memory,
    arena::Arena,
    layout::{Layout, Span},
    operations::{CHOICE_BYTES, PADDING, choice_bytes},
};

/// Bytes of a row: token, position, sequence, a row that wants logits, its choice.
const ROW_BYTES: usize = 4 * 4 + CHOICE_BYTES;
/// `u32`: first row, rows, first position, sequence.
const SPAN_BYTES: usize = 16;

/// Where it lies.
#[derive(Clone, Copy)]
pub(crate) struct Input {
    all: Memory,
    rows: usize,
    sequences: usize,
    pages_per_sequence: usize,
}

impl Input {
    /// Room for steps of up to `rows` rows of up to `sequences` sequences of up to `pages_per_sequence` pages.
    pub(crate) fn new<D: Device>(
        arena: &mut Arena<D>,
        rows: usize,
        sequences: usize,
        pages_per_sequence: usize,
    ) -> Result<Self, DeviceError> {
        let spans = 2 * SPAN_BYTES * span_slots(sequences);
        let pages = 4 * sequences * pages_per_sequence;
        Ok(Self {
            all: arena.bytes(ROW_BYTES * rows + spans + pages)?,
            rows,
            sequences,
            pages_per_sequence,
        })
    }

    /// Most sequences of a step.
    pub(crate) fn sequences(&self) -> usize {
        self.sequences
    }

    pub(crate) fn pages_per_sequence(&self) -> usize {
        self.pages_per_sequence
    }

    pub(crate) fn tokens(&self) -> Memory {
        self.column(0)
    }

    pub(crate) fn positions(&self) -> Memory {
        self.column(1)
    }

    pub(crate) fn row_sequences(&self) -> Memory {
        self.column(2)
    }

    pub(crate) fn wanted(&self) -> Memory {
        self.column(3)
    }

    pub(crate) fn pages(&self) -> Memory {
        let words = self.sequences * self.pages_per_sequence;
        let spans = 2 * SPAN_BYTES * span_slots(self.sequences);
        self.all.part(ROW_BYTES * self.rows + spans, 4 * words)
    }

    pub(crate) fn choices(&self) -> Memory {
        let bytes = CHOICE_BYTES * self.rows;
        self.all.part(16 * self.rows, bytes)
    }

    /// Spans of single tokens: one for each row that they can have.
    pub(crate) fn single_spans(&self) -> Memory {
        let bytes = SPAN_BYTES * span_slots(self.sequences);
        self.all.part(ROW_BYTES * self.rows, bytes)
    }

    /// Spans of several tokens.
    pub(crate) fn spans(&self) -> Memory {
        let bytes = SPAN_BYTES * span_slots(self.sequences);
        self.all.part(ROW_BYTES * self.rows + bytes, bytes)
    }

    fn column(&self, index: usize) -> Memory {
        let bytes = 4 * self.rows;
        self.all.part(index * bytes, bytes)
    }

    /// Copies a step; `choices` are those of the parts that want logits, as far as there are any.
    pub(crate) fn upload(
        &self,
        device: &impl Device,
        layout: Layout,
        parts: &[Part<'_>],
        choices: &[Option<Plain>],
    ) -> Result<(), DeviceError> {
        let spans = layout.spans(parts);
        let mut bytes = Zeroizing::new(Vec::with_capacity(self.all.bytes()));
        for word in Zeroizing::new(self.columns(parts, &spans)).iter() {
            bytes.extend(word.to_le_bytes());
        }
        let choices = choices.iter().copied();
        let filled = choices.chain(iter::repeat(None)).take(self.rows);
        filled.for_each(|choice| bytes.extend(choice_bytes(choice)));
        for single in [true, false] {
            let of_kind = spans.iter().filter(|span| span.single == single);
            let filled = of_kind.copied().chain(iter::repeat(Span::NONE));
            let filled = filled.take(span_slots(self.sequences));
            filled.for_each(|span| bytes.extend(span_bytes(span)));
        }
        for part in parts {
            let begin = bytes.len();
            let pages = part.table.pages().iter().take(self.pages_per_sequence);
            pages.for_each(|page| bytes.extend(page.to_le_bytes()));
            bytes.resize(begin + 4 * self.pages_per_sequence, 0);
        }
        device.upload(self.all, &bytes)
    }

    /// Tokens, positions, sequences, rows that want logits.
    fn columns(&self, parts: &[Part<'_>], spans: &[Span]) -> Vec<u32> {
        let mut columns = [0, 0, PADDING, 0].map(|filler| vec![filler; self.rows]);
        let [tokens, positions, sequences, wanted] = &mut columns;
        for (part, span) in parts.iter().zip(spans) {
            put(tokens, span.first_row, part.tokens.iter().copied());
            let from = number(span.first_position);
            put(positions, span.first_row, (from..).take(span.rows));
            put(
                sequences,
                span.first_row,
                iter::repeat_n(number(span.sequence), span.rows),
            );
        }
        let wanting = parts.iter().zip(spans);
        let wanting = wanting.filter(|(part, _)| part.wants_logits);
        put(wanted, 0, wanting.map(|(_, span)| number(span.last_row())));
        columns.concat()
    }
}

/// How many spans of one kind there is room for: as many as the rows of single tokens are filled up to.
fn span_slots(sequences: usize) -> usize {
    sequences.next_power_of_two()
}

fn span_bytes(span: Span) -> [u8; SPAN_BYTES] {
    let words = [
        span.first_row,
        span.rows,
        span.first_position,
        span.sequence,
    ];
    let mut bytes = [0; SPAN_BYTES];
    let places = bytes.as_chunks_mut().0.iter_mut();
    places
        .zip(words)
        .for_each(|(place, word)| *place = number(word).to_le_bytes());
    bytes
}

/// Puts values in the places of a column from `first` on.
fn put(column: &mut [u32], first: usize, values: impl Iterator<Item = u32>) {
    let places = column.iter_mut().skip(first);
    places.zip(values).for_each(|(place, value)| *place = value);
}

/// Positions and rows are far below the limit: sequences end with the context.
fn number(value: usize) -> u32 {
    u32::try_from(value).unwrap_or(u32::MAX)
}

#[cfg(test)]
mod tests {
    use engine::decoder::KvTable;

    use super::*;

    /// Else a sequence would be answered with what another's last token gave.
    #[test]
    fn logits_are_those_of_the_parts_that_want_them() {
        let input = Input {
            all: Memory::new(4096, 0),
            rows: 8,
            sequences: 4,
            pages_per_sequence: 1,
        };
        let shares: [(&[u32], bool); 4] = [
            (&[1, 2, 3], false),
            (&[4], true),
            (&[5], false),
            (&[6, 7], true),
        ];
        let mut tables: [KvTable; 4] = Default::default();
        let parts = tables.iter_mut().zip(shares);
        let parts = parts.map(|(table, (tokens, wants_logits))| Part {
            tokens,
            table,
            wants_logits,
        });
        let parts: Vec<_> = parts.collect();
        for (layout, tokens, wanted) in [
            (Layout::InOrder, [1, 2, 3, 4, 5, 6, 7, 0], [3, 6, 0]),
            (Layout::SinglesFirst(2), [4, 5, 1, 2, 3, 6, 7, 0], [0, 6, 0]),
            (Layout::SinglesFirst(3), [4, 5, 0, 1, 2, 3, 6, 7], [0, 7, 0]),
        ] {
            let columns = input.columns(&parts, &layout.spans(&parts));
            assert_eq!(columns[..8], tokens, "{layout:?}");
            assert_eq!(columns[3 * 8..][..3], wanted, "{layout:?}");
        }
    }
}
