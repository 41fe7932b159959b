//! Sequences on their way through a decoder.

use engine::{
    decoder::{KvTable, Part},
    local::Forward,
};

use crate::{Device, GpuDecoder, self_test::SelfTestError};

/// What a sequence's tokens gave.
pub(super) struct Answers {
    /// Bits of the logits after each piece.
    pub(super) logits: Vec<Vec<u32>>,
    /// Its pages.
    kept: Vec<u8>,
}

impl Answers {
    /// Whether the last pieces gave the same logits, and all of them the same keys and values.
    pub(super) fn ends_as(&self, other: &Self) -> bool {
        self.logits.ends_with(&other.logits) && self.kept == other.kept
    }
}

/// Sends sequences through the model side by side, a piece of each at a step. What they took of the pages is given back.
pub(super) fn run<D: Device>(
    decoder: &mut GpuDecoder<D>,
    sequences: &[Vec<&[u32]>],
) -> Result<Vec<Answers>, SelfTestError> {
    let tables = sequences.iter().map(|_| KvTable::default());
    let mut tables: Vec<_> = tables.collect();
    let answers = answers(decoder, sequences, &mut tables);
    let release = |table| decoder.pool().release(table);
    tables.into_iter().for_each(release);
    answers
}

fn answers<D: Device>(
    decoder: &mut GpuDecoder<D>,
    sequences: &[Vec<&[u32]>],
    tables: &mut [KvTable],
) -> Result<Vec<Answers>, SelfTestError> {
    for (table, pieces) in tables.iter_mut().zip(sequences) {
        let tokens = pieces.iter().map(|piece| piece.len()).sum();
        decoder.pool().reserve(table, tokens)?;
    }
    let mut logits = vec![Vec::new(); sequences.len()];
    for step in 0..sequences.first().map_or(0, Vec::len) {
        let parts = tables.iter_mut().zip(sequences);
        let parts = parts.filter_map(|(table, pieces)| {
            Some(Part {
                tokens: pieces.get(step)?,
                table,
                wants_logits: true,
            })
        });
        let rows = decoder.step(&mut parts.collect::<Vec<_>>())?;
        let all = logits.iter_mut().zip(rows);
        all.for_each(|(logits, row)| logits.push(bits(row)));
    }
    let pages = decoder.pages().memory();
    let answers = logits.into_iter().zip(tables).map(|(logits, table)| {
        let kept = pages.read(table.pages())?;
        Ok(Answers { logits, kept })
    });
    answers.collect()
}

pub(super) fn bits(values: &[f32]) -> Vec<u32> {
    values.iter().map(|value| value.to_bits()).collect()
}
